import { check } from './checks.js'

self.onmessage = ({ data: [url, protocol] }) => check(url, protocol).then(postMessage, (error) => postMessage(String(error.stack)))
