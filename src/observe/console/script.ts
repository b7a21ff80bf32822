/** The script of the pages: replaces the live parts by what the server sends, while the page can be seen. */
export const script = `'use strict'
const status = document.getElementById('status')
const parts = new Map([...document.querySelectorAll('[data-live]')].map((part) => [part.dataset.live, part]))
let source
let isPressed = false
const late = new Map()
function isBusy(part) {
  const chosen = getSelection()
  return isPressed || part.contains(document.activeElement) || (!chosen.isCollapsed && chosen.containsNode(part, true))
}
function show() {
  for (const [id, text] of late) {
    const part = parts.get(id)
    if (part === undefined) late.delete(id)
    if (part === undefined || isBusy(part)) continue
    const scrolled = [...part.querySelectorAll('.scroll')].map((table) => table.scrollLeft)
    part.innerHTML = text
    part.querySelectorAll('.scroll').forEach((table, i) => { table.scrollLeft = scrolled[i] ?? 0 })
    late.delete(id)
  }
}
function open() {
  if (source !== undefined || parts.size === 0) return
  source = new EventSource(document.querySelector('main').dataset.events)
  source.onopen = () => { status.textContent = 'live'; status.className = 'ok' }
  source.onerror = () => { status.textContent = 'lost'; status.className = 'bad' }
  source.onmessage = ({ data }) => {
    for (const [id, text] of Object.entries(JSON.parse(data))) late.set(id, text)
    show()
  }
}
function close() {
  if (source !== undefined) source.close()
  source = undefined
  status.textContent = 'paused'
  status.className = ''
}
addEventListener('pointerdown', () => { isPressed = true })
for (const end of ['pointerup', 'pointercancel']) addEventListener(end, () => { isPressed = false })
addEventListener('pagehide', close)
addEventListener('pageshow', () => { if (!document.hidden) open() })
document.addEventListener('visibilitychange', () => (document.hidden ? close() : open()))
`
