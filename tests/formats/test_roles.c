/* SPDX-License-Identifier: Apache-2.0 */
/* What names of columns stand for, and what --map may say. */
#include "check.h"

#include "data/roles.h"

#include <stdio.h>
#include <string.h>

static void names_of_events_and_tags_are_known(void **state)
{
    (void)state;
    static const char *const events[] = {"eventType", "event_type", "event",      "action",
                                         "behavior",  "Behaviour",  "interaction"};
    unsigned rank;
    for (size_t i = 0; i < sizeof events / sizeof *events; i++) {
        CHECK(tdm_role_of(tdm_str_of(events[i]), false, false, &rank) == TDM_ROLE_EVENT);
        CHECK(tdm_role_of(tdm_str_of(events[i]), true, false, &rank) == TDM_ROLE_NONE);
    }
    CHECK(tdm_role_of(tdm_str_of("tag"), false, false, &rank) == TDM_ROLE_TAG);
    CHECK(tdm_role_of(tdm_str_of("user_tag:token"), false, false, &rank) == TDM_ROLE_TAG);
    assert_string_equal(tdm_role_name(TDM_ROLE_EVENT), "event");
}

static void events_can_be_weighed(void **state)
{
    (void)state;
    tdm_role_map m;
    tdm_err err;
    CHECK_OK(tdm_role_map_parse(&m,
                                "title=name,event=eventType,event:VIEW=1,event:COMMENT CREATED=4,event:A=B=0,"
                                "event:VIEW=2.5",
                                &err),
             err);
    CHECK(m.any && tdm_str_is(m.column[TDM_ROLE_TITLE], "name") && tdm_str_is(m.column[TDM_ROLE_EVENT], "eventType"));
    CHECK(m.events == 3);
    CHECK(tdm_str_is(m.event[0].name, "VIEW") && m.event[0].weight == 2.5); /* the last word counts */
    CHECK(tdm_str_is(m.event[1].name, "COMMENT CREATED") && m.event[1].weight == 4);
    CHECK(tdm_str_is(m.event[2].name, "A=B") && m.event[2].weight == 0);
    CHECK_OK(tdm_role_map_parse(&m, "event:VIEW=1", &err), err);
    CHECK(!m.any && m.events == 1); /* weights say nothing of columns */
}

static void wrong_weights_are_named(void **state)
{
    (void)state;
    static const char *const wrong[] = {"event:",       "event:VIEW",    "event:=1",       "event:VIEW=",
                                        "event:VIEW=x", "event:VIEW=-1", "event:VIEW=nan", "event:VIEW=1e99"};
    tdm_role_map m;
    tdm_err err;
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        CHECK(tdm_role_map_parse(&m, wrong[i], &err) == TDM_E_ARG);
        CHECK(strstr(err.msg, wrong[i]));
    }
    char many[1000] = "";
    for (int i = 0; i <= TDM_EVENTS; i++) snprintf(many + strlen(many), sizeof many - strlen(many), "event:e%d=1,", i);
    CHECK(tdm_role_map_parse(&m, many, &err) == TDM_E_ARG && strstr(err.msg, "e32") && strstr(err.msg, "32 names"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(names_of_events_and_tags_are_known),
                                       cmocka_unit_test(events_can_be_weighed),
                                       cmocka_unit_test(wrong_weights_are_named)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
