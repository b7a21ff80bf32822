import type { BusEvent } from './event.ts'

/** Names that events may have, by the map of names to data. */
export type EventName<Events extends object> = keyof Events & string

/** Names that a listener may give: an event of the map, or a pattern with `*` or `**` in place of segments. */
export type EventPattern<Events extends object> = EventName<Events> | `${string}*${string}`

/** Names of the events that a listener of `Pattern` gets. */
type MatchingName<Events extends object, Pattern extends string> =
  string extends EventName<Events>
    ? string
    : Pattern extends EventName<Events>
      ? Pattern
      : { [Name in EventName<Events>]: Matches<Name, Pattern> extends true ? Name : never }[EventName<Events>]

/** The event that a listener of `Pattern` gets: a union of events, which comparing `event.name` tells apart. */
export type EventOf<Events extends object, Pattern extends string> = EventNamed<Events, MatchingName<Events, Pattern>>

type EventNamed<Events extends object, Name extends string> = Name extends keyof Events ? BusEvent<Name, Events[Name]> : never

/** Arguments for an event's data, which may be left out where it may be undefined. */
export type EventArguments<Data> = undefined extends Data ? [data?: Data] : [data: Data]

/** An item of `publishBatch`: a name, or a name and its data. */
export type BatchItem<Events extends object> = {
  [Name in EventName<Events>]: readonly [name: Name, ...EventArguments<Events[Name]>] | (undefined extends Events[Name] ? Name : never)
}[EventName<Events>]

type Matches<Name extends string, Pattern extends string> = Pattern extends '*' | '**' ? true : MatchesSegments<Name, Pattern>

type MatchesSegments<Name extends string, Pattern extends string> = Pattern extends `${infer First}.${infer Rest}`
  ? Name extends `${infer Segment}.${infer Others}`
    ? First extends '**'
      ? MatchesSegments<Others, Rest> extends true
        ? true
        : MatchesSegments<Others, Pattern>
      : First extends '*' | Segment
        ? MatchesSegments<Others, Rest>
        : false
    : false
  : Pattern extends '**'
    ? true
    : Pattern extends '*'
      ? Name extends `${string}.${string}`
        ? false
        : true
      : Name extends Pattern
        ? true
        : false
