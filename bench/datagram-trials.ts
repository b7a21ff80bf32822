// The trials over UDP: KCP and QUIC.
import type { Group } from './results.ts'
import type { Trial } from './trials.ts'

type Make = (group: Group, how: Trial['how'], rest: Partial<Trial> & Pick<Trial, 'id' | 'title' | 'drivers'>) => Trial

/** 5 % loss and a round trip of 50 ms. */
const lossy = { loss: 0.05, delay: 25 }

export const datagramTrials = (make: Make): Trial[] => [
  // Against that of Go, which has one client for all: servers are compared, with Go's options.
  ...(
    [
      ['16x64', '64 B string, 16 × 64', { connections: 16, inFlight: 64 }],
      ['1x1', '64 B string, 1 × 1', {}],
      ['64k', '64 KiB string, 1 × 1', { payload: 'json-64k' }],
    ] as [load: string, title: string, Partial<Trial>][]
  ).map(([load, title, rest]) => {
    const drivers = ['native-kcp', 'js-kcp', 'go-dmicro-kcp']
    return make('kcp', 'peers', { id: `kcp@${load}`, title: `KCP, ${title}, client of Go`, drivers, ...rest })
  }),
  // Many sessions at a time, or there would be too few calls for a hundredth of them; each has one in flight.
  make('kcp', 'link', {
    id: 'kcp-link@1x1',
    title: '5 % loss, 50 ms round trip: 64 B string, 1 in flight, 64 sessions',
    link: lossy,
    connections: 64,
    share: 4,
    drivers: ['native-kcp-own', 'js-kcp-own', 'native-kcp-fast', 'js-kcp-fast', 'go-dmicro-kcp', 'native', 'go-dmicro'],
  }),
  make('kcp', 'link', {
    id: 'kcp-link@64k',
    title: '5 % loss, 50 ms round trip: 64 KiB string, 1 in flight, 4 sessions',
    link: lossy,
    payload: 'json-64k',
    connections: 4,
    share: 4,
    drivers: ['native-kcp-own', 'js-kcp-own', 'native-kcp-fast', 'js-kcp-fast', 'go-dmicro-kcp', 'native', 'go-dmicro'],
  }),
  make('kcp', 'idle', {
    id: 'kcp@idle',
    title: 'memory and CPU of an idle session over KCP',
    connections: 10_000,
    rounds: 1,
    drivers: ['native-kcp', 'js-kcp', 'go-dmicro-kcp'],
  }),
  make('quic', 'peers', {
    id: 'quic@16x64',
    title: 'QUIC, 64 B string, 16 × 64, client of Go',
    connections: 16,
    inFlight: 64,
    drivers: ['quic', 'go-dmicro-quic'],
  }),
  make('quic', 'peers', {
    id: 'quic@1x1',
    title: 'QUIC, 64 B string, 1 × 1, own client',
    drivers: ['quic-own', 'go-dmicro-quic'],
  }),
  make('quic', 'peers', {
    id: 'quic@64k',
    title: 'QUIC, 64 KiB string, 1 × 16, own client',
    payload: 'json-64k',
    inFlight: 16,
    drivers: ['quic-own', 'go-dmicro-quic'],
  }),
]
