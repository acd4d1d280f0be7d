/* SPDX-License-Identifier: Apache-2.0 */
/* check.h - what every test file includes: cmocka with its prerequisites, and two checks of our own. */
#ifndef TDM_TESTS_CHECK_H
#define TDM_TESTS_CHECK_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "tandem.h"

#define CHECK(x) assert_true(x)

/* A status that must be TDM_OK, printing the sentence where it is not. `e` is the tdm_err that the call filled. */
#define CHECK_OK(call, e)                                                                                              \
    do {                                                                                                               \
        if ((call) != TDM_OK) fail_msg("%s: %s", #call, (e).msg);                                                      \
    } while (0)

#endif
