// An application of two sandboxes, with one process or with one for each service:
//   node examples/dserver/app.mjs start -c examples/dserver/config.toml [--model multi]
// In a second terminal: node examples/dserver/app.mjs ctl | reload | stop
import { Endpoint } from 'dmicro'
import { DServer, Sandbox } from 'dmicro/dserver'

class Store extends Sandbox {
  name = 'store'
  #endpoint = new Endpoint()
  #items = ['tea', 'milk']

  async setup() {
    this.#endpoint.routeCall('/store/items', () => this.#items)
    await this.#endpoint.listen(this.config.string('listen'))
  }

  async shutdown() {
    await this.#endpoint.close()
  }
}

class Shop extends Sandbox {
  name = 'shop'
  dependsOn = ['store']
  #endpoint = new Endpoint()

  async setup() {
    const store = await this.#endpoint.dial(this.config.string('store'), { redial: true })
    this.#endpoint.routeCall('/shop/menu', async () => {
      const items = await store.call('/store/items', null, { idempotent: true })
      return `${items.join(' and ')}, from process ${process.pid}`
    })
    const { url } = await this.#endpoint.listen(this.config.string('listen'))
    console.log(url)
  }

  async shutdown() {
    await this.#endpoint.close()
  }
}

DServer.run('shop', (svr) => {
  const listen = (name) => [svr.config.string(`sandbox.${name}.listen`)]
  svr.newService('data', { listen: listen('store') }).addSandbox(new Store())
  svr.newService('web', { listen: listen('shop'), instances: 2 }).addSandbox(new Shop())
})
