/** Any text as the value of a header: what is not ASCII is sent as UTF-8, as other clients do. */
export const headerValue = (text: string): string => Buffer.from(text).toString('latin1');
