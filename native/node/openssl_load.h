#pragma once

#include <node_api.h>

#include "layer/openssl.h"

namespace dmicro {

// Returns the functions of the OpenSSL that the running program has; null when it has none, or one of another version
// than 3, and then `*reason` says so. The same for all threads.
const OpenSsl* LoadOpenSsl(const char** reason);

// Returns the address that an External of Node.js's own holds. Node-API cannot tell: it reads only Externals that it
// has made. Requires that LoadOpenSsl succeeded, and an External.
void* AddressOfExternal(napi_value external);

}  // namespace dmicro
