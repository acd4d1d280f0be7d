/* SPDX-License-Identifier: Apache-2.0 */
/* roles.h - what a column or a JSON key holds, from its name. Inside this floor only. */
#ifndef TDM_DATA_ROLES_H
#define TDM_DATA_ROLES_H

#include "base/bytes.h"
#include "base/status.h"

/* name in the answers, name in --map or NULL */
#define TDM_ROLE_LIST(X)                                                                                               \
    X(USER, "user")                                                                                                    \
    X(ITEM, "item")                                                                                                    \
    X(OTHER, "other id")                                                                                               \
    X(RATING, "rating")                                                                                                \
    X(TIME, "time")                                                                                                    \
    X(TEXT, "text")                                                                                                    \
    X(SUMMARY, "summary")                                                                                              \
    X(TITLE, "title")                                                                                                  \
    X(BRAND, "brand")                                                                                                  \
    X(CATEGORY, "category")                                                                                            \
    X(DESCRIPTION, "description")                                                                                      \
    X(KEYWORDS, "keywords")                                                                                            \
    X(EVENT, "event")                                                                                                  \
    X(TAG, "tag")

typedef enum tdm_role {
#define X(name, word) TDM_ROLE_##name,
    TDM_ROLE_LIST(X)
#undef X
        TDM_ROLES,
    TDM_ROLE_NONE = TDM_ROLES
} tdm_role;

const char *tdm_role_name(tdm_role r);

/* The role that a name stands for, in a log of interactions or in a list of items; of several names for one role the
 * one of the least *rank is taken. `guess`: also names that only begin like one ("buyerRate"), at a high rank. */
tdm_role tdm_role_of(tdm_str name, bool items, bool guess, unsigned *rank);

/* Whether a name is `word`, which is in small letters and digits: "User-ID" and "user_id:token" are "userid". */
bool tdm_role_named(tdm_str name, const char *word);

enum { TDM_RANK_TITLE = 90 }; /* "title" in a log: of the review, where no other name says so */

enum { TDM_EVENTS = 32 }; /* types of events that --map can weigh */

/* --map: the column (a name, or a number from 1) of each role; empty: not said. "event:NAME=WEIGHT" says what an event
 * of that type counts; without a weight all types count the same. Texts point into `text`. */
typedef struct tdm_role_map {
    tdm_str column[TDM_ROLES];
    struct {
        tdm_str name;
        double weight; /* 0: such rows are left out */
    } event[TDM_EVENTS];
    size_t events;
    bool any;
} tdm_role_map;

tdm_status tdm_role_map_parse(tdm_role_map *out, const char *text, tdm_err *err); /* `text` NULL: nothing said */

#endif
