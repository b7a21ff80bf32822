import { performance } from 'node:perf_hooks'
import { turn } from '../../base/time/clock.ts'
import type { Visitor } from './family.ts'
import { type Format, PageText } from './page-text.ts'

/** Milliseconds of the event loop that a page takes before others have their turn. */
const SLICE_MS = 0.5
/** Series between two looks at the clock. */
const CHECK_EVERY = 4

/** Source of the series of a page. */
export interface PageSource {
  /**
   * Reads what cannot be read at once.
   *
   * @returns visits all series, and yields between two of them
   */
  prepare(): Promise<(visitor: Visitor) => Iterable<void>>
}

/**
 * Visits all series in slices: between two of them others have their turn on the event loop.
 *
 * @param pause called before each turn
 */
export async function inSlices(visit: Iterable<void>, pause: () => void): Promise<void> {
  let end = performance.now() + SLICE_MS
  let series = 0
  for (const _ of visit) {
    if (++series % CHECK_EVERY !== 0 || performance.now() < end) continue
    pause()
    await turn()
    end = performance.now() + SLICE_MS
  }
}

/** Makes pages. Scrapes that come while one is made share it, so that many at once cost no more than one. */
export class Renderer {
  readonly #source: PageSource
  readonly #running = new Map<Format, Promise<readonly Buffer[]>>()

  constructor(source: PageSource) {
    this.#source = source
  }

  /** @returns the page in pieces, each of a slice */
  render(format: Format): Promise<readonly Buffer[]> {
    const running = this.#running.get(format)
    if (running !== undefined) return running
    const page = this.#render(format).finally(() => this.#running.delete(format))
    this.#running.set(format, page)
    return page
  }

  async #render(format: Format): Promise<readonly Buffer[]> {
    const visit = await this.#source.prepare()
    const page = new PageText(format)
    await inSlices(visit(page), () => page.cut())
    return page.finish()
  }
}
