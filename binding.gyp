{
  "targets": [{
    "target_name": "dmicro",
    "sources": ["<!@(node -p \"['wire','layer','kcp','io','node'].flatMap((d) => require('fs').readdirSync('native/' + d).filter((f) => f.endsWith('.cc')).map((f) => 'native/' + d + '/' + f)).join(' ')\")"],
    "include_dirs": [
      "native",
      "<!@(node -p \"require('node-addon-api').include_dir\")",
      "<!@(node -p \"require('node-api-headers').include_dir\")",
      "<!@(node -p \"require('path').resolve(process.execPath, '../../include/node')\")"
    ],
    "defines": ["NAPI_VERSION=8", "NODE_ADDON_API_DISABLE_CPP_EXCEPTIONS"],
    "cflags_cc": ["-std=c++20", "-O2", "-Wall", "-Wextra", "-fvisibility=hidden"],
    "cflags_cc!": ["-std=gnu++17", "-std=gnu++20"],
    "xcode_settings": { "CLANG_CXX_LANGUAGE_STANDARD": "c++20", "MACOSX_DEPLOYMENT_TARGET": "11.0" }
  }]
}
