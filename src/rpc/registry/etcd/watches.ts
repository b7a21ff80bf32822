import type { Service } from '../registry.ts'
import type { SnapshotReader, SnapshotSource } from '../snapshots.ts'
import type { ServiceWatch, WatchSink } from './watch.ts'

/** The readers of one service, and the watch that they share. */
interface Shared {
  readonly readers: Set<SnapshotReader>
  readonly watch: ServiceWatch
  latest: readonly Service[] | undefined
}

/** The watches of a registry: one for each service that has readers, so that all of these see the same at one time. */
export class Watches {
  readonly #make: (name: string, sink: WatchSink) => ServiceWatch
  readonly #byName = new Map<string, Shared>()

  /** @param make makes the watch of a service, not yet started */
  constructor(make: (name: string, sink: WatchSink) => ServiceWatch) {
    this.#make = make
  }

  /** Where the readers of a service get theirs. */
  sourceOf(name: string): SnapshotSource {
    return {
      onReader: (reader) => this.#add(name, reader),
      onReaderGone: (reader) => this.#remove(name, reader),
    }
  }

  /** Ends all readers. */
  fail(reason: unknown): void {
    for (const shared of [...this.#byName.values()]) for (const reader of [...shared.readers]) reader.fail(reason)
  }

  #add(name: string, reader: SnapshotReader): void {
    const shared = this.#byName.get(name) ?? this.#start(name)
    shared.readers.add(reader)
    if (shared.latest !== undefined) reader.set(shared.latest)
  }

  #start(name: string): Shared {
    const readers = new Set<SnapshotReader>()
    const watch = this.#make(name, {
      onServices(services) {
        shared.latest = services
        for (const reader of readers) reader.set(services)
      },
      onLost: (reason) => {
        if (this.#byName.get(name) === shared) this.#byName.delete(name)
        for (const reader of [...readers]) reader.fail(reason)
      },
    })
    const shared: Shared = { readers, watch, latest: undefined }
    this.#byName.set(name, shared)
    watch.start()
    return shared
  }

  #remove(name: string, reader: SnapshotReader): void {
    const shared = this.#byName.get(name)
    if (shared === undefined || !shared.readers.delete(reader) || shared.readers.size > 0) return
    this.#byName.delete(name)
    shared.watch.stop()
  }
}
