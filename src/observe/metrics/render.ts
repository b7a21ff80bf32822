import { performance } from 'node:perf_hooks'
import { turn } from '../../base/time/clock.ts'
import { collect, type Sources } from './collect.ts'
import { type Format, PageText } from './page-text.ts'

/** Milliseconds of the event loop that a page takes before others have their turn. */
const SLICE_MS = 1
/** Series between two looks at the clock. */
const CHECK_EVERY = 8

/** Makes pages. Scrapes that come while one is made share it, so that many at once cost no more than one. */
export class Renderer {
  readonly #sources: Sources
  readonly #running = new Map<Format, Promise<Buffer>>()

  constructor(sources: Sources) {
    this.#sources = sources
  }

  render(format: Format): Promise<Buffer> {
    const running = this.#running.get(format)
    if (running !== undefined) return running
    const page = this.#render(format).finally(() => this.#running.delete(format))
    this.#running.set(format, page)
    return page
  }

  async #render(format: Format): Promise<Buffer> {
    await this.#sources.process?.prepare()
    const page = new PageText(format)
    let end = performance.now() + SLICE_MS
    let series = 0
    for (const _ of collect(this.#sources, page)) {
      if (++series % CHECK_EVERY !== 0 || performance.now() < end) continue
      page.cut()
      await turn()
      end = performance.now() + SLICE_MS
    }
    page.cut()
    await turn() // a large page takes a slice to put together
    return page.finish()
  }
}
