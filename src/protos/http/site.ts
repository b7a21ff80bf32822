/** Whose page made the browser send the request, as the browser says (Fetch Metadata): nothing said, one of our origin or none, another's. */
export const Site = { Unsaid: 0, Own: 1, Foreign: 2 } as const
export type Site = (typeof Site)[keyof typeof Site]
