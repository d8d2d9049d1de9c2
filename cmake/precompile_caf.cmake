# SPDX-License-Identifier: Apache-2.0

# torpor_precompile_caf(TARGET...): caf/all.hpp costs every file ten seconds, so
# it is compiled once, in the target torpor_caf. Nothing but CAF may define
# macros there: g++ refuses a header with a macro that its user lacks.
function(torpor_precompile_caf)
  if(NOT TARGET torpor_caf)
    set(source ${PROJECT_BINARY_DIR}/torpor_caf.cpp)
    file(CONFIGURE OUTPUT ${source} CONTENT "")
    add_library(torpor_caf OBJECT ${source})
    torpor_own_code(torpor_caf)
    target_link_libraries(torpor_caf PRIVATE CAF::core)
    target_precompile_headers(torpor_caf PRIVATE <caf/all.hpp>)
  endif()
  foreach(target IN LISTS ARGN)
    if(CMAKE_POSITION_INDEPENDENT_CODE)
      # Libraries and programs differ in their flags: one header for each.
      target_precompile_headers(${target} PRIVATE <caf/all.hpp>)
    else()
      target_precompile_headers(${target} REUSE_FROM torpor_caf)
    endif()
  endforeach()
endfunction()
