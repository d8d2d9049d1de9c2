// SPDX-License-Identifier: Apache-2.0
#include "server/sse_event.hpp"

#include <doctest/doctest.h>

using namespace torpor;

TEST_CASE("each line of a text is a line of its event") {
  CHECK(data_event("one") == "event: data\ndata:one\n\n");
  CHECK(data_event("a\nb") == "event: data\ndata:a\ndata:b\n\n");
  CHECK(data_event("a\n") == "event: data\ndata:a\ndata:\n\n");
  CHECK(data_event("") == "event: data\ndata:\n\n");
}

TEST_CASE("nothing in a text can end its event or begin another one") {
  CHECK(data_event("a\r\n\r\nevent: control\r\ndata: x\r\n\r\n")
        == "event: data\ndata:a\ndata:\ndata:event: control\ndata:data: x\n"
           "data:\ndata:\n\n");
  CHECK(data_event("a\r\revent: x") == "event: data\ndata:a\ndata:\n"
                                       "data:event: x\n\n");
  CHECK(data_event("a\n\rb") == "event: data\ndata:a\ndata:\ndata:b\n\n");
}

TEST_CASE("a blank at the beginning of a line stays") {
  CHECK(data_event(" a\n  b") == "event: data\ndata:  a\ndata:   b\n\n");
}

TEST_CASE("a control event tells what holds and nothing else") {
  CHECK(to_text({sequence{5}, 12, true, false})
        == "event: control\ndata:{\"streamNextOffset\":"
           "\"0000000000000000_0000000000000005\",\"streamCursor\":\"12\","
           "\"upToDate\":true}\n\n");
  CHECK(to_text({sequence{5}, {}, true, true})
        == "event: control\ndata:{\"streamNextOffset\":"
           "\"0000000000000000_0000000000000005\",\"upToDate\":true,"
           "\"streamClosed\":true}\n\n");
}
