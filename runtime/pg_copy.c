#include "pg.h"
const luaL_Reg pg_copy_methods[] = {{NULL, NULL}};
void pg_copy_open(lua_State *L) { (void)L; }
