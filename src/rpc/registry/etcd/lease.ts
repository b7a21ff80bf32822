import { nodeCrypto } from '../../../base/builtin.ts'
import type { Client, OperationOptions } from './client.ts'
import { GrpcCode, isCode } from './grpc-status.ts'
import { type Lease, leaseGrant, leaseKeepAlive, leaseRevoke } from './messages.ts'

// Leases of etcd. Each operation may be repeated without harm, since its answer may be lost.

/**
 * Grants a lease under an id of our own, so that a second try does not leave a second lease behind.
 * @param ttl milliseconds; etcd has whole seconds, and at least two of them
 * @returns with the time to live that etcd granted
 */
export async function grantLease(client: Client, ttl: number, options: OperationOptions): Promise<Lease> {
  const id = nodeCrypto().randomBytes(8).readBigInt64BE() & MAX_ID
  try {
    const granted = await client.call(leaseGrant, { id, ttl: Math.ceil(ttl / 1000) }, options)
    return { id, ttl: granted.ttl }
  } catch (error) {
    // An earlier try did it.
    if (isCode(error, GrpcCode.FailedPrecondition)) return { id, ttl: await keepAlive(client, id, options) }
    throw error
  }
}

/** Gives a lease its whole time to live again, and resolves to that in seconds, or to 0 when there is no such lease. */
export async function keepAlive(client: Client, id: bigint, options: OperationOptions): Promise<number> {
  return (await client.call(leaseKeepAlive, id, options)).ttl
}

/** Ends a lease, if it is there; etcd deletes the keys that are attached to it. */
export async function revokeLease(client: Client, id: bigint, options: OperationOptions): Promise<void> {
  try {
    await client.call(leaseRevoke, id, options)
  } catch (error) {
    if (!isCode(error, GrpcCode.NotFound)) throw error
  }
}

/** Ids are positive. */
const MAX_ID = 0x7fff_ffff_ffff_ffffn
