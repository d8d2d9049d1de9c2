# SPDX-License-Identifier: Apache-2.0

# torpor_precompile_http(TARGET...): what the door includes, Beast, Asio and CAF,
# compiled once, in the target torpor_http_headers; see precompile_caf.cmake.
function(torpor_precompile_http)
  set(headers
    <caf/all.hpp>
    <boost/asio/ip/tcp.hpp>
    <boost/asio/posix/stream_descriptor.hpp>
    <boost/asio/steady_timer.hpp>
    <boost/beast/core.hpp>
    <boost/beast/http.hpp>)
  if(NOT TARGET torpor_http_headers)
    set(source ${PROJECT_BINARY_DIR}/torpor_http_headers.cpp)
    file(CONFIGURE OUTPUT ${source} CONTENT "")
    add_library(torpor_http_headers OBJECT ${source})
    torpor_own_code(torpor_http_headers)
    target_link_libraries(torpor_http_headers PRIVATE Boost::headers CAF::core)
    target_precompile_headers(torpor_http_headers PRIVATE ${headers})
  endif()
  foreach(target IN LISTS ARGN)
    if(CMAKE_POSITION_INDEPENDENT_CODE)
      target_precompile_headers(${target} PRIVATE ${headers})
    else()
      target_precompile_headers(${target} REUSE_FROM torpor_http_headers)
    endif()
  endforeach()
endfunction()
