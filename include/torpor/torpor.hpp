// SPDX-License-Identifier: Apache-2.0
#pragma once

// Everything but the messages for hosts that are actors (torpor/messages.hpp).

#include "torpor/appender.hpp"
#include "torpor/error.hpp"
#include "torpor/options.hpp"
#include "torpor/read.hpp"
#include "torpor/runtime.hpp"
#include "torpor/stream.hpp"
#include "torpor/types.hpp"
#include "torpor/write_batch.hpp"
