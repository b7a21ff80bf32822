import 'reflect-metadata'
import { Controller, Module } from '@nestjs/common'
import { NestFactory } from '@nestjs/core'
import { ClientProxyFactory, EventPattern, JsonSocket, MessagePattern, Transport } from '@nestjs/microservices'
import { firstValueFrom } from 'rxjs'

export const label = 'NestJS TCP'
export const payloads = ['json']

class NoDelaySocket extends JsonSocket {
  constructor(socket, options) {
    super(socket, options)
    socket.setNoDelay(true)
  }
}

class Bench {
  pushes = 0
  echo(value) {
    return value
  }
  pushed() {
    return this.pushes
  }
  push() {
    this.pushes++
  }
}

class App {}

/** `@decorator` in plain JavaScript. */
function decorate(method, decorator) {
  decorator(Bench.prototype, method, Object.getOwnPropertyDescriptor(Bench.prototype, method))
}
decorate('echo', MessagePattern('echo'))
decorate('pushed', MessagePattern('pushed'))
decorate('push', EventPattern('push'))
Controller()(Bench)
Module({ controllers: [Bench] })(App)

export async function serve({ port }) {
  const app = await NestFactory.createMicroservice(App, {
    transport: Transport.TCP,
    logger: false,
    options: { host: '127.0.0.1', port, socketClass: NoDelaySocket },
  })
  await app.listen()
  return { address: `127.0.0.1:${app.unwrap().address().port}` }
}

export async function dial(address) {
  const [host, port] = address.split(':')
  const client = ClientProxyFactory.create({ transport: Transport.TCP, options: { host, port: Number(port), socketClass: NoDelaySocket } })
  await client.connect()
  return {
    call: (value) => firstValueFrom(client.send('echo', value)),
    push: (value) => firstValueFrom(client.emit('push', value), { defaultValue: undefined }),
    pushed: () => firstValueFrom(client.send('pushed', '')),
    close: () => client.close(),
  }
}
