/*
 * Questions are answered by a container's monitor within a fraction of a millisecond, so the event loop waits for them. But
 * a monitor can hang (stopped, out of memory, a dead disk), and liblxc waits for it for ever: so a thread asks, and a
 * question without an answer is left to it. Until that one comes back nothing more is asked about its container.
 */
#define _GNU_SOURCE
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "addon.h"

enum { patience = 2 /* seconds */ };

static pthread_mutex_t turn = PTHREAD_MUTEX_INITIALIZER, lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t asked = PTHREAD_COND_INITIALIZER, answered = PTHREAD_COND_INITIALIZER;
static struct lxd_question *posted, *lost;
static bool worker;

void lxd_forget(struct lxd_question *question)
{
	if (!question)
		return;
	free(question->path);
	free(question->name);
	free(question->text[0]);
	free(question->text[1]);
	free(question->found);
	free(question);
}

/* With `lock` held. */
static void come_back(struct lxd_question *question)
{
	struct lxd_question **at = &lost;

	while (*at != question)
		at = &(*at)->next;
	*at = question->next;
	lxd_forget(question);
}

static void *work(void *unused)
{
	(void)unused;
	pthread_mutex_lock(&lock);
	for (;;) {
		struct lxd_question *question;
		struct lxc_container *container;

		while (!posted)
			pthread_cond_wait(&asked, &lock);
		question = posted;
		posted = NULL;
		pthread_mutex_unlock(&lock);
		container = lxc_container_new(question->name, question->path);
		if (container) {
			question->answer(question, container);
			lxc_container_put(container);
		}
		pthread_mutex_lock(&lock);
		question->done = true;
		if (question->late) {
			/* Another thread has taken over. */
			come_back(question);
			pthread_mutex_unlock(&lock);
			return NULL;
		}
		pthread_cond_signal(&answered);
	}
}

/* False when there is no answer; the question is not the caller's any more then. */
static bool await_answer(struct lxd_question *question)
{
	struct timespec deadline;
	bool done, known = false;
	int status = 0;

	pthread_mutex_lock(&lock);
	for (struct lxd_question *other = lost; other && !known; other = other->next)
		known = strcmp(other->name, question->name) == 0 && strcmp(other->path, question->path) == 0;
	if (!known && !worker)
		worker = lxd_thread(work);
	if (known || !worker) {
		pthread_mutex_unlock(&lock);
		lxd_forget(question);
		return false;
	}
	posted = question;
	pthread_cond_signal(&asked);
	clock_gettime(CLOCK_MONOTONIC, &deadline);
	deadline.tv_sec += patience;
	while (!question->done && status == 0)
		status = pthread_cond_clockwait(&answered, &lock, CLOCK_MONOTONIC, &deadline);
	done = question->done;
	if (!done) {
		question->late = true;
		question->next = lost;
		lost = question;
		worker = false;
	}
	pthread_mutex_unlock(&lock);
	return done;
}

struct lxd_question *lxd_ask(napi_env env, napi_callback_info info, size_t texts, lxd_answer *answer)
{
	struct lxd_question *question = calloc(1, sizeof(*question));
	napi_value args[4];
	size_t count = 4;
	char message[256];
	bool good;

	if (!question)
		return NULL;
	napi_get_cb_info(env, info, &count, args, NULL, NULL);
	question->answer = answer;
	good = (question->path = lxd_string(env, args[0])) && (question->name = lxd_string(env, args[1]));
	for (size_t i = 0; good && i < texts; i++)
		good = (question->text[i] = lxd_string(env, args[2 + i])) != NULL;
	if (good && texts == 0 && count > 2)
		napi_get_value_int32(env, args[2], &question->number);
	if (!good) {
		lxd_forget(question);
		return NULL;
	}
	snprintf(message, sizeof(message), "The monitor of \"%s\" does not answer", question->name);
	pthread_mutex_lock(&turn);
	good = await_answer(question);
	pthread_mutex_unlock(&turn);
	if (!good)
		napi_throw_error(env, "ETIMEDOUT", message);
	return good ? question : NULL;
}
