import { type Html, html } from './html.ts'
import type { Page, Section } from './pages/page.ts'

/** A page and where it is. */
export interface Place {
  readonly path: string
  readonly page: Page
  readonly query: URLSearchParams
}

/** The whole page. */
export function documentOf({ path, page, query }: Place, sections: readonly Section[], nav: readonly [path: string, page: Page][]): Html {
  const isLive = sections.some((section) => section.isLive)
  const hasForm = sections.some(({ isLive, id }) => !isLive && (id === 'try' || id === 'filter'))
  // The answer to a form has another address than the page that it shows. Its argument may be too long for one.
  const events = new URLSearchParams(query)
  events.delete('arg')
  events.set('page', path)
  return html`<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>${page.title} &middot; dmicro</title>
<meta name="viewport" content="width=device-width, initial-scale=1"><meta name="color-scheme" content="light dark">
<link rel="icon" href="data:,"><link rel="stylesheet" href="/console.css"><script src="/console.js" defer></script>
${isLive && !hasForm && html`<noscript><meta http-equiv="refresh" content="5"></noscript>`}</head>
<body><header><a class="brand" href="/">dmicro</a><nav aria-label="Pages">${nav.map(
    ([other, { title }]) => html`<a href="${other}"${other === path && html` aria-current="page"`}>${title}</a>`,
  )}</nav><span id="status" role="status"${!isLive && html` hidden`}></span></header>
<main data-events="/events?${events.toString()}">${sections.map(sectionOf)}</main>
<footer>Process ${process.pid}, Node.js ${process.versions.node}</footer></body></html>`
}

function sectionOf({ id, title, isLive, body }: Section): Html {
  return html`<section>${title !== undefined && html`<h2>${title}</h2>`}<div${isLive && html` data-live="${id}"`}>${body}</div></section>`
}

/** The page that asks for the token. */
export function loginPage(isWrong: boolean): Html {
  return html`<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>dmicro</title><meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark"><link rel="icon" href="data:,"><link rel="stylesheet" href="/console.css"></head>
<body class="login"><main><h1>dmicro</h1><form method="post" action="/login">${isWrong && html`<p class="bad" role="alert">That is not the token.</p>`}<label>Token<input type="password" name="token" required autofocus autocomplete="current-password"></label><button>Continue</button></form></main></body></html>`
}

/** A short page about what went wrong. */
export function messagePage(text: string): Html {
  return html`<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>dmicro</title><meta name="color-scheme" content="light dark"><link rel="icon" href="data:,"><link rel="stylesheet" href="/console.css"></head>
<body class="login"><main><p>${text}</p><p><a href="/">Overview</a></p></main></body></html>`
}
