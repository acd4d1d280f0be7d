/* SPDX-License-Identifier: Apache-2.0 */
/* limits.h - the longest texts kept, in bytes; docs/data.md. Inside this floor only. */
#ifndef TDM_DATA_LIMITS_H
#define TDM_DATA_LIMITS_H

enum {
    TDM_MOST_ID = 256,
    TDM_MOST_TITLE = 500,
    TDM_MOST_BRAND = 200,
    TDM_MOST_CATEGORY = 100,
    TDM_MOST_CATEGORIES = 1000,
    TDM_MOST_DESCRIPTION = 2000,
    TDM_MOST_KEYWORDS = 1000,
    TDM_MOST_SUMMARY = 500,
    TDM_MOST_REVIEW = 10000,
    TDM_MOST_RAW = 65536,    /* of a rejected row */
    TDM_MOST_KEPT = 64 << 20 /* of a text that --keep length leaves as it is */
};

#endif
