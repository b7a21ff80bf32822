import type { Html } from '../html.ts'
import type { ConsoleView } from '../view.ts'

/** A part of a page. */
export interface Section {
  readonly id: string
  readonly title?: string | undefined
  /** Whether it is sent again when it has changed. */
  readonly isLive: boolean
  readonly body: Html
}

/** A page of the console. */
export interface Page {
  readonly title: string
  /** Whether the navigation leads to it. */
  readonly isMain: boolean
  /** Makes its sections. Called each second while the page is open. */
  sections(view: ConsoleView, query: URLSearchParams): Section[]
}
