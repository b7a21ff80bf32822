// uWebSockets.js with its binary.
import uWS from 'uWebSockets.js'

// Where its binary does not fit, the package substitutes a JavaScript imitation.
if (!/\[native code\]/.test(Function.prototype.toString.call(uWS.App))) {
  throw new Error(`uWebSockets.js has no binary for Node ${process.version}`)
}

export { uWS }

/** @returns {Promise<string>} the address at which `app` listens from now on */
export async function listen(app, port) {
  const socket = await new Promise((resolve) => app.listen('127.0.0.1', port, resolve))
  if (!socket) throw new Error(`uWebSockets.js cannot listen on port ${port}`)
  return `127.0.0.1:${uWS.us_socket_local_port(socket)}`
}
