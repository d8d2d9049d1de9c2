# SPDX-License-Identifier: Apache-2.0

# torpor_embed_text(TARGET FUNCTION HEADER FILE): compiles a text file into a
# target, as what torpor::FUNCTION(), which HEADER declares, returns. A change of
# the file builds it anew.
function(torpor_embed_text target function header file)
  set(made ${CMAKE_CURRENT_BINARY_DIR}/${function}.cpp)
  set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS ${file})
  file(READ ${file} hex HEX)
  string(REGEX REPLACE "(..)" "0x\\1," bytes "${hex}")
  string(REGEX REPLACE "(................................................................................)"
    "\\1\n" bytes "${bytes}")
  file(CONFIGURE OUTPUT ${made} CONTENT [[
// Made of @file@ by the build.
#include "@header@"

namespace torpor {

namespace {

constexpr unsigned char bytes[] = {
@bytes@};

} // namespace

std::string_view @function@() noexcept {
  return {reinterpret_cast<const char*>(bytes), sizeof bytes};
}

} // namespace torpor
]] @ONLY)
  target_sources(${target} PRIVATE ${made})
endfunction()
