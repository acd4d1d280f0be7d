/* SPDX-License-Identifier: Apache-2.0 */
#include "base/status.h"

#include <stdio.h>

const char *tdm_status_text(tdm_status st)
{
    switch (st) {
#define X(name, text)                                                                                                  \
    case TDM_##name:                                                                                                   \
        return text;
        TDM_STATUS_LIST(X)
#undef X
    }
    return "unknown status";
}

tdm_status tdm_fail(tdm_err *err, tdm_status st, const char *fmt, ...)
{
    if (err) {
        va_list ap;
        va_start(ap, fmt);
        vsnprintf(err->msg, sizeof err->msg, fmt, ap);
        va_end(ap);
    }
    return st;
}

tdm_status tdm_nomem(tdm_err *err, const char *what)
{
    return tdm_fail(err, TDM_E_NOMEM, "not enough memory for %s", what);
}
