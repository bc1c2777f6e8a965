/* The module moontide.runtime.digest: checksums of revisions. */

#include <openssl/evp.h>

#include "rt.h"

static void to_hex(const unsigned char *bytes, size_t length, char *hex) {
  static const char digits[] = "0123456789abcdef";
  for (size_t i = 0; i < length; i++) {
    hex[2 * i] = digits[bytes[i] >> 4];
    hex[2 * i + 1] = digits[bytes[i] & 15];
  }
}

/* digest.sha256(bytes) -> 64 hexadecimal digits */
static int digest_sha256(lua_State *L) {
  size_t length;
  const char *bytes = luaL_checklstring(L, 1, &length);
  unsigned char digest[32];
  char hex[2 * sizeof digest];
  if (EVP_Digest(bytes, length, digest, NULL, EVP_sha256(), NULL) != 1)
    return rt_raise(L, "internal", "could not compute a SHA-256 digest");
  to_hex(digest, sizeof digest, hex);
  lua_pushlstring(L, hex, sizeof hex);
  return 1;
}

static const luaL_Reg functions[] = {
  {"sha256", digest_sha256},
  {NULL, NULL},
};

int luaopen_moontide_digest(lua_State *L) {
  luaL_newlib(L, functions);
  return 1;
}
