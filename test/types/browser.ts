import type { EventEmitter } from 'node:events'
import type * as page from '../../src/browser/index.ts'
import type * as node from '../../src/index.ts'

// Compiled and never run: the types of `dmicro/browser` are written down a second time, because those of `dmicro` name
// types of Node.js. Members that both have are compared here, and members that pages lack are listed.

/** A member to compare: of methods their arguments and result, because methods themselves are compared loosely. */
type Shape<Member> = Member extends (...args: infer Args) => infer Result ? [Args, Result] : Member

type Same<A, B> = [A] extends [B] ? ([B] extends [A] ? true : false) : false

/** Names of members that both have and that differ. */
type Different<Page, Node> = {
  [Name in keyof Page & keyof Node]: Same<Shape<Page[Name]>, Shape<Node[Name]>> extends true ? never : Name
}[keyof Page & keyof Node]

/** Names of members that only the first of two types has. */
type Only<One, Other> = Exclude<keyof One & string, keyof Other>

/**
 * Members that are not the same, that pages have alone, that they lack without being listed, and that are listed for
 * nothing. `Apart` are members that are less in pages, or whose types name other types of this list.
 */
type Differences<Page, Node, Lacking = never, Apart = never> = [
  differ: Exclude<Different<Page, Node>, Apart>,
  added: Only<Page, Node>,
  lacking: Exclude<Only<Node, Page>, Lacking>,
  listed: Exclude<Lacking, Only<Node, Page>> | Exclude<Apart, Different<Page, Node>>,
]
type None = [never, never, never, never]
type Check<Differing extends readonly None[]> = Differing

/** Listeners of pages are compared by `SessionEvents`. */
type Listening = 'on' | 'once' | 'off'
type NodeSession = Omit<node.Session, Exclude<keyof EventEmitter, Listening>>
type NodeEndpoint = Omit<node.Endpoint, keyof EventEmitter>

export type Options = Check<
  [
    Differences<page.PushOptions, node.PushOptions, 'filters'>,
    Differences<page.CallOptions, node.CallOptions, 'filters'>,
    Differences<page.TypedCallOptions<string>, node.TypedCallOptions<string>, 'filters'>,
    Differences<page.RedialOptions, node.RedialOptions>,
    Differences<page.HeartbeatPingOptions, node.HeartbeatPingOptions>,
    Differences<page.HeartbeatPongOptions, node.HeartbeatPongOptions>,
    Differences<page.DialOptions, node.DialOptions, 'socket' | 'tls' | 'kcp' | 'quic', 'protocol'>,
    Differences<
      page.EndpointOptions,
      node.EndpointOptions,
      | 'filters'
      | 'socket'
      | 'transport'
      | 'lookup'
      | 'contextAge'
      | 'codecs'
      | 'requireFilters'
      | 'protocols'
      | 'mapper'
      | 'overload'
      | 'busyPoll'
      | 'ioThreads',
      'codec' | 'protocol' | 'plugins'
    >,
    Differences<page.RouteOptions<number, string>, node.RouteOptions<number, string>, 'plugins' | 'safe'>,
    Differences<
      page.Limits,
      node.EndpointOptions['limits'] & {},
      | 'maxFilters'
      | 'maxSessions'
      | 'maxAddressSessions'
      | 'maxConnectRate'
      | 'maxEndpointRunning'
      | 'maxMessageRate'
      | 'frameTimeout'
      | 'maxUnconfirmed'
      | 'maxAway'
      | 'resumeTimeout'
    >,
  ]
>

export type Values = Check<
  [
    Differences<page.Reply<string>, node.Reply<string>>,
    Differences<page.Gap, node.Gap>,
    Differences<page.SessionEvents, node.SessionEvents, 'disconnected' | 'resumed'>,
    Differences<page.Logger, node.Logger>,
    Differences<
      { state: page.SessionState; level: page.LogLevel; meta: page.Meta },
      { state: node.SessionState; level: node.LogLevel; meta: node.Meta }
    >,
  ]
>

export type Faces = Check<
  [
    Differences<
      page.Session,
      NodeSession,
      | 'socket'
      | 'handlerTimeout'
      | 'localAddress'
      | 'request'
      | 'activity'
      | 'peerCertificate'
      | 'authorized'
      | 'alpn'
      | 'age'
      | 'setAge'
      | 'setHandlerTimeout'
      | 'lastSeq'
      | 'rawPush'
      | 'earlySend'
      | 'earlyReceive'
      | 'earlyCall'
      | 'earlyReply',
      Listening
    >,
    Differences<page.PushContext, node.PushContext, 'filters' | 'realIp', 'session'>,
    Differences<page.CallContext, node.CallContext, 'filters' | 'realIp' | 'addFilter', 'session'>,
    Differences<page.RouteGroup, node.RouteGroup, never, 'routeCall' | 'routePush' | 'group'>,
    Differences<
      page.Endpoint,
      NodeEndpoint,
      'plugins' | 'log' | 'transport' | 'stats' | 'load' | 'clock' | 'listen' | 'upgrade',
      'session' | 'sessions' | 'dial' | 'routeCall' | 'routePush' | 'group' | 'setUnknownCall' | 'setUnknownPush' | 'serve'
    >,
  ]
>

/** Hooks of pages name other types; which there are is tested in Chromium. */
export type Hooks = Check<[[never, Only<page.Plugin, node.Plugin>, never, never]]>

// @ts-expect-error an option that pages lack is found
export type Lacking = Check<[Differences<page.CallOptions, node.CallOptions>]>
// @ts-expect-error an option that pages have alone
export type Added = Check<[Differences<page.Gap & { own?: string }, node.Gap>]>
// @ts-expect-error a method that takes something else
export type Differing = Check<[Differences<{ close(now: boolean): void }, Pick<node.Session, 'close'>>]>
