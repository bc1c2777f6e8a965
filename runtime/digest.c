/* The module moontide.runtime.digest: checksums of revisions.

   The plain SHA256_* functions are deprecated in favour of EVP, but the first use of EVP reads openssl.cnf and looks
   for providers: about 1 ms, a tenth of a whole run that has nothing to do. These need nothing. */

#define OPENSSL_SUPPRESS_DEPRECATED
#include <openssl/sha.h>

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
  unsigned char digest[SHA256_DIGEST_LENGTH];
  char hex[2 * sizeof digest];
  SHA256_CTX context;
  if (!SHA256_Init(&context) || !SHA256_Update(&context, bytes, length) || !SHA256_Final(digest, &context))
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
