#include "node/openssl_load.h"

#include <dlfcn.h>

namespace dmicro {
namespace {

// v8::External::Value, whose later versions take a tag. A napi_value is the address that V8 has as `this`.
using Value = void* (*)(const void* external);
using TaggedValue = void* (*)(const void* external, uint16_t tag);
constexpr uint16_t kDefaultTag = 0;

struct Loaded {
  OpenSsl functions{};
  Value value = nullptr;
  TaggedValue tagged_value = nullptr;
  const char* reason = "";
};

Loaded Load() {
  Loaded loaded;
  const auto find = [&loaded](const char* name, void* to) {
    void* const found = dlsym(RTLD_DEFAULT, name);
    if (found == nullptr) loaded.reason = "this runtime exports no OpenSSL";
    *static_cast<void**>(to) = found;
  };
#define DMICRO_FIND(result, name, arguments) find(#name, &loaded.functions.name);
  DMICRO_OPENSSL_FUNCTIONS(DMICRO_FIND)
#undef DMICRO_FIND
  loaded.value = reinterpret_cast<Value>(dlsym(RTLD_DEFAULT, "_ZNK2v88External5ValueEv"));
  loaded.tagged_value = reinterpret_cast<TaggedValue>(dlsym(RTLD_DEFAULT, "_ZNK2v88External5ValueEt"));
  if (loaded.value == nullptr && loaded.tagged_value == nullptr)
    loaded.reason = "the contexts of this runtime cannot be read";
  // BoringSSL has most of the names, and calls itself 1.1.1.
  if (*loaded.reason == '\0' && loaded.functions.OpenSSL_version_num() >> 28 != 3)
    loaded.reason = "this runtime has another library than OpenSSL 3";
  return loaded;
}

const Loaded& Once() {
  static const Loaded loaded = Load();
  return loaded;
}

}  // namespace

const OpenSsl* LoadOpenSsl(const char** reason) {
  const Loaded& loaded = Once();
  *reason = loaded.reason;
  return *loaded.reason == '\0' ? &loaded.functions : nullptr;
}

void* AddressOfExternal(napi_value external) {
  const Loaded& loaded = Once();
  return loaded.value != nullptr ? loaded.value(external) : loaded.tagged_value(external, kDefaultTag);
}

}  // namespace dmicro
