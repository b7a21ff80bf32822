import { RETRY_AFTER_KEY } from '../../message/announcement.ts'
import { ByteTable } from './byte-table.ts'

/** Uses of a header field. */
export const Use = {
  /** Always meta. */
  Meta: 0,
  /** Meta in Go's form, where applications may use every name; ignored in plain HTTP, where browsers send it. */
  Browser: 1,
  /** Concerns only the connection, or has no meaning here. */
  Ignored: 2,
  ContentType: 3,
  ContentLength: 4,
  TransferEncoding: 5,
  Seq: 6,
  Type: 7,
  ContentEncoding: 8,
  AcceptEncoding: 9,
  Accept: 10,
  Expect: 11,
  Host: 12,
  Origin: 13,
  RequestMethod: 14,
  RequestHeaders: 15,
  FetchSite: 16,
  Date: 17,
} as const
export type Use = (typeof Use)[keyof typeof Use]

/** A known header name. */
interface HeaderName {
  readonly use: Use
  /** Key of the field in meta. */
  readonly key: string
}

/**
 * Meta keys of the framework (docs/spec/wire.md#reserved-keys). Go canonicalizes their case, which is restored here.
 */
const reserved = ['X-Accept-Body-Codec', 'X-Real-IP', 'X-Secure-Body', 'X-Reply-Secure-Body', 'X-Sealed-Body', RETRY_AFTER_KEY, 'hb_']

/** Fields of the message itself. */
const protocol: Record<string, Use> = {
  'content-type': Use.ContentType,
  'content-length': Use.ContentLength,
  'transfer-encoding': Use.TransferEncoding,
  'x-seq': Use.Seq,
  'x-mtype': Use.Type,
  'x-content-encoding': Use.ContentEncoding,
  'content-encoding': Use.ContentEncoding,
  'accept-encoding': Use.AcceptEncoding,
  expect: Use.Expect,
  host: Use.Host,
  connection: Use.Ignored,
  'keep-alive': Use.Ignored,
  'proxy-connection': Use.Ignored,
  te: Use.Ignored,
  trailer: Use.Ignored,
  upgrade: Use.Ignored,
  'http2-settings': Use.Ignored,
  'user-agent': Use.Ignored,
}

const browser: Record<string, Use> = {
  accept: Use.Accept,
  origin: Use.Origin,
  'access-control-request-method': Use.RequestMethod,
  'access-control-request-headers': Use.RequestHeaders,
  'sec-fetch-site': Use.FetchSite,
  date: Use.Date,
}
const browserNames =
  'accept-charset accept-language accept-ranges access-control-allow-credentials access-control-allow-headers access-control-allow-methods ' +
  'access-control-allow-origin access-control-expose-headers access-control-max-age age alt-svc cache-control dnt pragma priority ' +
  'purpose range referer save-data sec-ch-ua sec-ch-ua-mobile sec-ch-ua-platform sec-fetch-dest sec-fetch-mode ' +
  'sec-fetch-storage-access sec-fetch-user sec-gpc sec-purpose server upgrade-insecure-requests vary via warning'

export const headerNames = new ByteTable<HeaderName>([
  ...reserved.map((key) => [key, { use: Use.Meta, key }] as const),
  ...Object.entries({ ...protocol, ...browser }).map(([key, use]) => [key, { use, key }] as const),
  ...browserNames.split(' ').map((key) => [key, { use: Use.Browser, key }] as const),
])

/**
 * Whether a name says what the message is, or how the connection continues, so that meta must not use it. The call of a
 * peer may still set `Host`.
 */
export function isProtocolName(name: string): boolean {
  const lower = name.toLowerCase()
  return lower !== 'host' && Object.hasOwn(protocol, lower)
}
