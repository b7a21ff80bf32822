// Every entry of the package: with `skipLibCheck: false` all that its declarations import must compile too.
import * as main from 'dmicro'
import * as browser from 'dmicro/browser'
import * as contract from 'dmicro/contract'
import * as dserver from 'dmicro/dserver'
import * as etcd from 'dmicro/etcd'
import * as eventbus from 'dmicro/eventbus'
import * as logs from 'dmicro/logs'
import * as mdns from 'dmicro/mdns'
import * as metrics from 'dmicro/metrics'
import * as rpc from 'dmicro/rpc'
import * as supervisor from 'dmicro/supervisor'
import * as testing from 'dmicro/testing'
import * as tracing from 'dmicro/tracing'

export const entries = { main, browser, contract, dserver, etcd, eventbus, logs, mdns, metrics, rpc, supervisor, testing, tracing }
