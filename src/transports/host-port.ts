/** The address as in Go: `127.0.0.1:80`, `[::1]:80`. '' when the connection is gone already. */
export function hostPort(host: string | undefined, port: number | undefined): string {
  if (host === undefined) return ''
  // A listener on [::] sees IPv4 peers as ::ffff:a.b.c.d.
  const plain = host.startsWith('::ffff:') && host.includes('.') ? host.slice(7) : host
  return plain.includes(':') ? `[${plain}]:${port}` : `${plain}:${port}`
}
