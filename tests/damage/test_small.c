/* SPDX-License-Identifier: Apache-2.0 */
/* test_small.c - small logs with one thing wrong each, and the account they must give: no row is swallowed, none is
 * made of what is no row, and what is left out for a reason is counted under it. */
#include "damage.h"

#include <stdio.h>
#include <string.h>

typedef struct small {
    const char *name, *text;
    double rows, interactions, rejected, duplicates;
    tdm_options o;
} small;

static const small smalls[] = {
    {"two objects on a line among JSON lines",
     "{\"user\":\"a\",\"item\":\"x\"}\n{\"user\":\"a\",\"item\":\"y\"}{\"user\":\"b\",\"item\":\"y\"}\n"
     "{\"user\":\"c\",\"item\":\"x\"}\n",
     4, 4},
    {"a brace too many costs its line",
     "{\"user\":\"a\",\"item\":\"x\"}}\n{\"user\":\"a\",\"item\":\"y\"}\n{\"user\":\"b\",\"item\":\"y\"}\n", 3, 2, 1},
    {"a stray quote in JSON over lines costs its record",
     "{\"user\":\"a\",\n\"item\":\"x\"}\n{\"user\":\"a\",\n\"item\":\"y\",\n\"text\":\"b\"c\"}\n{\"user\":\"b\","
     "\n\"item\":"
     "\"y\"}\n{\"user\":\"c\",\n\"item\":\"y\",\n\"text\":\"it's\"}\n{\"user\":\"d\",\n\"item\":\"z\"}\n",
     -1, 4, -1},
    {"a stray quote in JSON over lines costs no record behind it",
     "{\"user\":\"e\",\n\"item\":\"x\"}\n{\"user\":\"a\",\"item\":\"x\",\n\"text\":\"5\" tall\"}\n"
     "{\"user\":\"b\",\"item\":\"x\",\n\"text\":\"r\"}\n{\"user\":\"c\",\"item\":\"y\",\n\"text\":\"2\\\" x\"}\n"
     "{\"user\":\"d\",\n\"item\":\"y\"}\n",
     -1, 4, -1},
    {"blank lines and the marks of an array are no rows",
     "[\n\n{\"user\":\"a\",\"item\":\"x\"},\n\n  \n{\"user\":\"b\",\"item\":\"x\"},\n]\n", 2, 2},
    {"a blank line before the header", "\nuser,item,rating\na,x,1\nb,y,2\n", 2, 2},
    {"blank lines before a header of semicolons", "\r\n\r\nuserId;movieId;rating\r\n1;2;3\r\n2;3;4\r\n", 2, 2},
    {"the last line has no end", "user,item,rating\na,x,1\nb,y,2", 2, 2},
    {"a quote that opens a cell and closes in a later row, the columns as many",
     "userId,movieId,comment,timestamp\n1,10,\"abc,1138537771\n1,20,def,1138537772\n2,30,ghi,1138537773\n"
     "2,40,jkl,1138537774\n2,50,\"x, y\",1138537775\n3,60,x,1138537776\n3,61,x,1138537777\n3,62,x,1138537778\n",
     8, -1, -1},
    {"a quote that opens the last cell of a row and closes at the end of a later one",
     "user,item,rating,text\na,x,5,\"q\nb,y,4,r\nc,z,3,\"s\"\nd,x,1,t\ne,x,1,t\n", 5, -1, -1},
    {"a quote that opens a cell and closes nowhere",
     "userId,movieId,rating,text\n1,10,5,\"abc\n1,20,4,def\n2,30,3,ghi\n2,40,2,y\n3,60,1,x\n", 5, 5},
    {"a cell over lines is one row",
     "userId,movieId,rating,text\n1,10,5,\"one\n2,\ntwo, three\"\n1,20,4,def\n2,30,3,ghi\n2,40,2,y\n", 4, 4},
    {"a row too short and one too long",
     "user,item,rating\na,x,1\nb,y\nc,z,3,4\nd,x,1\ne,x,2\nf,x,2\ng,x,2\nh,x,2\ni,x,2\n", 9, 7, 2},
    {"the header again in the middle", "user,item,rating\na,x,1\nb,y,2\nuser,item,rating\nc,z,3\n", 4, 3, 1},
    {"the same row twice", "user,item,rating\na,x,1\na,x,1\nb,y,2\n", 3, 2, 0, 1},
    {"several people in a cell",
     "{\"user\":\"AG3D6O4STAQK,AHMY5CWJMMK5\",\"item\":\"x\",\"text\":\"t\"}\n{\"user\":\"b\",\"item\":\"y\"}\n", 2, 3},
    {"one person twice in a cell",
     "{\"user\":\"AG3D6O4STAQK,AG3D6O4STAQK\",\"item\":\"x\",\"text\":\"t\"}\n{\"user\":\"b\",\"item\":\"y\"}\n", 2, 2,
     0, 1},
    {"rows below --min-rating", "user,item,rating\na,x,1\na,y,5\nb,y,2\nb,x,4\n", 4, 2, 0, 0, {.min_rating = 3}},
    {"rows outside of a core", "user,item,rating\na,x,1\na,y,5\nb,y,2\nb,x,4\nc,x,1\n", 5, 4, 0, 0, {.core = 2}},
};

static void its_account_is_this(void **state)
{
    const small *s = *state;
    char path[400], folder[400];
    snprintf(path, sizeof path, "%s", damage_path("log"));
    snprintf(folder, sizeof folder, "%s", damage_path("set"));
    damage_put(path, s->text, strlen(s->text));
    damage_remove(folder);
    tdm_options all = s->o;
    all.max_bad = 1;
    outcome o = damage_prepare(path, folder, &all, 1);
    CHECK_OK(o.st, o.err);
    const char *wrong = damage_wrong(&o, path, folder);
    double got[] = {tdm_json_num(o.health, "rows_read", -1), tdm_json_num(o.health, "interactions", -1),
                    damage_rejected(o.health), tdm_json_num(o.health, "duplicates", -1)};
    double want[] = {s->rows, s->interactions, s->rejected, s->duplicates}; /* -1: not asked */
    for (size_t k = 0; k < 4; k++)
        if (!wrong && want[k] >= 0 && want[k] != got[k]) wrong = "another count";
    if (wrong)
        fail_msg(
            "%s: %.0f rows read of %.0f, %.0f interactions of %.0f, %.0f rejected of %.0f, %.0f duplicates of %.0f",
            wrong, got[0], want[0], got[1], want[1], got[2], want[2], got[3], want[3]);
    damage_done(&o);
}

int main(void)
{
    enum { N = sizeof smalls / sizeof *smalls };
    struct CMUnitTest tests[N];
    for (size_t k = 0; k < N; k++)
        tests[k] = (struct CMUnitTest){smalls[k].name, its_account_is_this, NULL, NULL, (void *)&smalls[k]};
    return cmocka_run_group_tests(tests, damage_begin, damage_end);
}
