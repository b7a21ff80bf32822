/** The codes of gRPC that etcd uses, or that this client makes itself. */
export const GrpcCode = {
  Cancelled: 1,
  Unknown: 2,
  InvalidArgument: 3,
  DeadlineExceeded: 4,
  NotFound: 5,
  PermissionDenied: 7,
  ResourceExhausted: 8,
  FailedPrecondition: 9,
  OutOfRange: 11,
  Internal: 13,
  Unavailable: 14,
  Unauthenticated: 16,
} as const
export type GrpcCode = (typeof GrpcCode)[keyof typeof GrpcCode]

/** Longest text of a server that is kept, in UTF-16 units. */
const MAX_TEXT = 512

/** The failure of a call to etcd. */
export class EtcdError extends Error {
  /** A code of gRPC. */
  readonly code: number

  constructor(code: number, message: string) {
    super(message.slice(0, MAX_TEXT))
    this.name = 'EtcdError'
    this.code = code
  }
}

export function unavailable(message: string): EtcdError {
  return new EtcdError(GrpcCode.Unavailable, message)
}

/** Whether another try, perhaps with another server, may succeed. */
export function isRetryable(error: unknown): boolean {
  if (!(error instanceof EtcdError)) return false
  switch (error.code) {
    case GrpcCode.Unavailable:
    case GrpcCode.DeadlineExceeded:
    case GrpcCode.Cancelled:
    case GrpcCode.Unknown:
    case GrpcCode.Internal:
      return true
    case GrpcCode.ResourceExhausted:
      return error.message.includes('too many requests')
    default:
      return false
  }
}

/**
 * Whether a call failed for its token, and may succeed with a new one. etcd says so in several ways: the second and the
 * third with code 3, as if the request were wrong.
 */
export function isTokenRefused(error: unknown): boolean {
  if (!(error instanceof EtcdError)) return false
  return (
    error.code === GrpcCode.Unauthenticated || /invalid auth token|revision of auth store is old|user name is empty/.test(error.message)
  )
}

/** The same of a watch, of which etcd 3.4 says that it is not permitted. */
export function isWatchRefused(error: unknown): boolean {
  return isTokenRefused(error) || isCode(error, GrpcCode.PermissionDenied)
}

export function isCode(error: unknown, code: GrpcCode): boolean {
  return error instanceof EtcdError && error.code === code
}
