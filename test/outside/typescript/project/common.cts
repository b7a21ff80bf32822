// A CommonJS module, whose require takes ES modules.
import dmicro = require('dmicro')
import testing = require('dmicro/testing')

const endpoint: dmicro.Endpoint = new dmicro.Endpoint()
endpoint.routeCall('/x', () => {
  throw new dmicro.StatusError(404)
})
export = { endpoint, net: new testing.TestNetwork() }
