/* SPDX-License-Identifier: Apache-2.0 */
#include "data/roles.h"

#include "data/clean.h"

#include <string.h>

static const char *const role_names[] = {
#define X(name, word) word,
    TDM_ROLE_LIST(X)
#undef X
};

const char *tdm_role_name(tdm_role r) { return r < TDM_ROLES ? role_names[r] : "none"; }

/* Names in small letters and digits only, best first. What says who else bought, viewed or how it ranks in the shop is
 * not here and never may be: it was measured after the fact and gives the answers away. */
static const char *const users[] = {
    "reviewerid", "userid",    "user",       "uid",       "customerid",      "custid",   "clientid",
    "viewerid",   "readerid",  "listenerid", "playerid",  "customer",        "buyerid",  "memberid",
    "visitorid",  "personid",  "person",     "accountid", "reviewsusername", "username", "reviewprofilename",
    "msno",       "sessionid", NULL};
static const char *const ids[] = {
    "parentasin", "itemid",    "asin",       "item",     "productid", "product",  "movieid", "bookid",
    "articleid",  "newsid",    "businessid", "trackid",  "songid",    "artistid", "gameid",  "animeid",
    "mangaid",    "beerid",    "beerbeerid", "recipeid", "venueid",   "placeid",  "gmapid",  "hotelid",
    "videoid",    "courseid",  "postid",     "appid",    "jokeid",    "isbn",     "iid",     "contentid",
    "aid",        "stockcode", "sku",        "asins",    "id",        NULL};
static const char *const ratings[] = {"overall",       "rating",      "score",        "stars",
                                      "starrating",    "reviewscore", "reviewrating", "reviewsrating",
                                      "reviewoverall", "ratings",     "bookrating",   NULL};
static const char *const times[] = {
    "unixreviewtime", "timestamp",    "unixtime",  "ts",        "time",        "datetime",  "date",
    "reviewtime",     "reviewdate",   "createdat", "dateadded", "reviewsdate", "eventtime", "eventtimestamp",
    "invoicedate",    "purchasedate", "orderdate", "created",   "createdon",   "ratedat",   "viewedat",
    "watchedat",      "when",         "tdat",      NULL};
static const char *const texts[] = {"reviewtext", "text",    "reviewbody", "review",      "reviewcontent",
                                    "body",       "content", "comment",    "reviewstext", "reviewdescription",
                                    NULL};
static const char *const summaries[] = {"summary",  "reviewsummary", "reviewtitle", "reviewheadline",
                                        "headline", "reviewstitle",  NULL};
static const char *const row_titles[] = {"producttitle", "itemtitle", "movietitle", "booktitle", "productname",
                                         "itemname",     "moviename", "bookname",   "animename", "gametitle",
                                         "gamename",     "beername",  "songtitle",  "trackname", "artistname",
                                         "coursename",   NULL};
static const char *const events[] = {"eventtype",   "event",           "eventname", "action",
                                     "actiontype",  "behaviortype",    "behavior",  "behaviour",
                                     "interaction", "interactiontype", NULL};
static const char *const row_tags[] = {"tag", "usertag", "tagtext", "tagname", NULL};
static const char *const titles[] = {"title",       "name",     "producttitle", "itemtitle", "movietitle", "booktitle",
                                     "productname", "itemname", "moviename",    "bookname",  "animename",  "gametitle",
                                     "gamename",    "beername", "songtitle",    "trackname", "artistname", "coursename",
                                     "appname",     "prodname", "headline",     NULL};
static const char *const brands[] = {"brand",   "brandname",  "store",     "manufacturer", "author",
                                     "authors", "bookauthor", "developer", "publisher",    NULL};
static const char *const categories[] = {"categories", "category", "genres",          "genre",     "maincategory",
                                         "maincat",    "class",    "producttypename", "beerstyle", NULL};
static const char *const descriptions[] = {"description", "productdescription", "abstract", "overview", "detaildesc",
                                           "plot",        "features",           "feature",  NULL};
static const char *const keywords[] = {"textualid", "attributes", "keywords", "tags", NULL};

typedef struct entry {
    tdm_role role;
    const char *const *names;
} entry;

static const entry in_rows[] = {{TDM_ROLE_USER, users},       {TDM_ROLE_ITEM, ids},     {TDM_ROLE_RATING, ratings},
                                {TDM_ROLE_TIME, times},       {TDM_ROLE_TEXT, texts},   {TDM_ROLE_SUMMARY, summaries},
                                {TDM_ROLE_TITLE, row_titles}, {TDM_ROLE_EVENT, events}, {TDM_ROLE_TAG, row_tags},
                                {TDM_ROLE_NONE, NULL}};
static const entry in_items[] = {{TDM_ROLE_ITEM, ids},
                                 {TDM_ROLE_TITLE, titles},
                                 {TDM_ROLE_BRAND, brands},
                                 {TDM_ROLE_CATEGORY, categories},
                                 {TDM_ROLE_DESCRIPTION, descriptions},
                                 {TDM_ROLE_KEYWORDS, keywords},
                                 {TDM_ROLE_NONE, NULL}};

/* Small letters and digits, up to a colon ("user_id:token" is a user_id). */
static size_t plain(char *out, size_t room, tdm_str name)
{
    size_t n = 0;
    for (size_t i = 0; i < name.n && name.p[i] != ':'; i++) {
        char c = name.p[i];
        if (c >= 'A' && c <= 'Z') c = (char)(c - 'A' + 'a');
        if (!((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9'))) continue;
        if (n + 1 == room) return 0;
        out[n++] = c;
    }
    out[n] = 0;
    return n;
}

bool tdm_role_named(tdm_str name, const char *word)
{
    char is[40];
    return plain(is, sizeof is, name) && !strcmp(is, word);
}

static tdm_role guessed(const char *name)
{
    static const char *const people[] = {"user", "reviewer", "customer", "buyer", "member", "visitor", "person", NULL};
    static const char *const things[] = {"item", "product", "movie", "book", "article", "track", "song", "game", NULL};
    static const char *const not [] = {"name",  "title", "price",  "categor", "descri",  "link",
                                       "url",   "image", "img",    "count",   "type",    "review",
                                       "brand", "group", "gender", "age",     "country", NULL};
    for (const char *c = name; *c; c++)
        if (*c >= '0' && *c <= '9') return TDM_ROLE_NONE; /* "user17" is a person, not a name for people */
    bool person = false, thing = false;
    for (size_t i = 0; people[i]; i++) person |= !strncmp(name, people[i], strlen(people[i]));
    for (size_t i = 0; things[i]; i++) thing |= !strncmp(name, things[i], strlen(things[i]));
    const char *rest = name + 3;
    size_t length = strlen(name);
    for (size_t i = 0; people[i]; i++) /* "members" are how many */
        if (length == strlen(people[i]) + 1 && !strncmp(name, people[i], length - 1) && name[length - 1] == 's')
            return TDM_ROLE_NONE;
    for (size_t i = 0; (person || thing) && not [i]; i++)
        if (strstr(rest, not [i])) return TDM_ROLE_NONE;
    return person ? TDM_ROLE_USER : thing ? TDM_ROLE_ITEM : TDM_ROLE_NONE;
}

tdm_role tdm_role_of(tdm_str name, bool items, bool guess, unsigned *rank)
{
    char word[40];
    *rank = 0;
    if (!plain(word, sizeof word, name)) return TDM_ROLE_NONE;
    for (const entry *e = items ? in_items : in_rows; e->names; e++)
        for (unsigned k = 0; e->names[k]; k++)
            if (!strcmp(word, e->names[k])) {
                *rank = k;
                return e->role;
            }
    if (!items && !strcmp(word, "title")) {
        *rank = TDM_RANK_TITLE;
        return TDM_ROLE_SUMMARY;
    }
    size_t n = strlen(word);
    *rank = 80;
    if (!items && ((n > 6 && !strcmp(word + n - 4, "edat")) || (n > 9 && !strcmp(word + n - 9, "timestamp"))))
        return TDM_ROLE_TIME; /* "clicked_at" */
    tdm_role r = guess ? guessed(word) : TDM_ROLE_NONE;
    return items && r == TDM_ROLE_USER ? TDM_ROLE_NONE : r;
}

/* "NAME=WEIGHT" behind "event:". */
static bool weight_add(tdm_role_map *m, tdm_str pair)
{
    size_t at = pair.n;
    while (at && pair.p[at - 1] != '=') at--;
    if (!at) return false;
    tdm_str name = tdm_str_trim((tdm_str){pair.p, at - 1});
    double weight;
    if (!name.n || !tdm_clean_number(&weight, (tdm_str){pair.p + at, pair.n - at}) || !(weight >= 0 && weight < 1e9))
        return false;
    size_t k = 0;
    while (k < m->events && !tdm_str_eq(m->event[k].name, name)) k++;
    if (k == TDM_EVENTS) return false;
    m->event[k].name = name;
    m->event[k].weight = weight;
    m->events += k == m->events;
    return true;
}

tdm_status tdm_role_map_parse(tdm_role_map *out, const char *text, tdm_err *err)
{
    static const tdm_role said[] = {TDM_ROLE_USER, TDM_ROLE_ITEM,    TDM_ROLE_RATING, TDM_ROLE_TIME,
                                    TDM_ROLE_TEXT, TDM_ROLE_SUMMARY, TDM_ROLE_TITLE,  TDM_ROLE_EVENT};
    static const char weigh[] = "event:";
    *out = (tdm_role_map){0};
    for (const char *p = text; p && *p;) {
        const char *end = strchr(p, ','), *equals = strchr(p, '=');
        if (!end) end = p + strlen(p);
        bool known = false;
        if ((size_t)(end - p) >= sizeof weigh && !strncmp(p, weigh, sizeof weigh - 1)) {
            known = weight_add(out, (tdm_str){p + sizeof weigh - 1, (size_t)(end - p) - (sizeof weigh - 1)});
            if (!known)
                return tdm_fail(err, TDM_E_ARG,
                                "--map: \"%.*s\" is not event:NAME=WEIGHT with a weight from 0, of at most %d names",
                                (int)(end - p > 60 ? 60 : end - p), p, TDM_EVENTS);
        }
        for (size_t k = 0; !known && equals && equals < end && k < sizeof said / sizeof *said; k++)
            if (tdm_str_is((tdm_str){p, (size_t)(equals - p)}, role_names[said[k]])) {
                tdm_str column = tdm_str_trim((tdm_str){equals + 1, (size_t)(end - equals - 1)});
                known = column.n > 0;
                out->column[said[k]] = column;
                out->any = true;
            }
        if (!known)
            return tdm_fail(err, TDM_E_ARG,
                            "--map: \"%.*s\" is not ROLE=COLUMN with a role of user, item, rating, time, text, "
                            "summary, title, event, nor event:NAME=WEIGHT",
                            (int)(end - p > 60 ? 60 : end - p), p);
        p = *end ? end + 1 : end;
    }
    return TDM_OK;
}
