/** Text that is shown in place of a secret. */
export const HIDDEN = '***'
/** Matches keys that look like a secret. */
export const secretKey = /pass|secret|token|auth|api[-_]?key|private[-_]?key|credential|cookie|session[-_]?id/i
