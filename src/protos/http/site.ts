/**
 * Origin of the page that made the browser send a request, according to Fetch Metadata: not given, the same or none,
 * another.
 */
export const Site = { Unsaid: 0, Own: 1, Foreign: 2 } as const
export type Site = (typeof Site)[keyof typeof Site]
