/* SPDX-License-Identifier: Apache-2.0 */
/* test_media.c - films, books, news, games, music and places, as their collections are given away. */
#include "formats/case.h"

#define N(a) (sizeof(a) / sizeof *(a))

static void films(void **state)
{
    (void)state;
    static const format_case cases[] = {
        {{"ml_100k_u.data"},
         "ml_100k_u.item",
         NULL,
         "4 rows, 3 people, 3 items (3 titled), 4 interactions",
         {"196,242,3,881250949,,", "302,Les Misérables (1995),,\"Drama|Mystery\""}},
        {{"ml_1m_ratings.dat"},
         "ml_1m_movies.dat",
         NULL,
         "4 rows, 2 people, 2 items (2 titled), 4 interactions",
         {"1,661,3,978302109,,", "661,James and the Giant Peach (1996),,\"Animation|Children's|Musical\""}},
        {{"ml_10m_ratings.dat"},
         "ml_10m_movies.dat",
         NULL,
         "4 rows, 3 people, 2 items (2 titled), 4 interactions",
         {"2,122,0.5,868246450,,", "185,\"Net, The (1995)\",,\"Action|Crime|Thriller\""}},
        {{"ml_25m_ratings.csv"},
         "ml_25m_movies.csv",
         NULL,
         "3 rows, 2 people, 2 items (2 titled), 3 interactions",
         {"1,306,3.5,1147868817,,", "306,Three Colors: Red (Trois couleurs: Rouge) (1994),,Drama"}},
        {{"ml_25m_genome_scores.csv"}, NULL, NULL, "refused: … movieId, tagId, relevance"},
        {{"ml_25m_genome_tags.csv"}, NULL, NULL, "refused: … tagId, tag"},
        {{"ml_25m_links.csv"}, NULL, NULL, "refused: … movieId, imdbId, tmdbId"},
        {{"recbole.inter"},
         "recbole.item",
         NULL,
         "3 rows, 3 people, 2 items (2 titled), 3 interactions",
         {"186,302,3,891717742,,", "302,L.A. Confidential,,Crime Film-Noir Mystery Thriller"}},
        {{"recbole.inter"},
         "recbole_amazon.item",
         NULL,
         "3 rows, 3 people, 2 items (2 titled), 3 interactions",
         {"302,Hand cream,,\"Beauty|Skin Care\""}},
        {{"netflix_combined.txt"}, NULL, NULL, "refused: … neither JSON nor a table"},
        {{"netflix_rows.csv"},
         "netflix_titles.csv",
         NULL,
         "3 rows, 2 people, 2 items (2 titled), 3 interactions",
         {"1488844,17,4,1129680000,,", "17,7 Seconds,,"}},
        {{"anime_rating.csv"},
         "anime.csv",
         NULL,
         "6 rows, 3 people, 3 items (3 titled), 6 interactions",
         {"1,20,,,,", "79,Shuffle! & more,,"}},
    };
    cases_check(cases, N(cases));
}

static void tags_and_people_beside_ratings(void **state)
{
    (void)state;
    static const format_case cases[] = {
        {{"ml_100k_u.data", "ml_100k_u.item", "ml_100k_u.user"},
         NULL,
         NULL,
         "4 rows, 3 people, 3 items (3 titled), 4 interactions",
         {"302,Les Misérables (1995),,\"Drama|Mystery\""}},
        {{"ml_1m_ratings.dat", "ml_1m_movies.dat", "ml_1m_users.dat"},
         NULL,
         NULL,
         "4 rows, 2 people, 2 items (2 titled), 4 interactions",
         {NULL}},
        {{"ml_10m_ratings.dat", "ml_10m_movies.dat", "ml_10m_tags.dat"},
         NULL,
         NULL,
         "4 rows, 3 people, 2 items (2 titled), 4 interactions",
         {NULL}},
        {{"ml_25m_tags.csv", "ml_25m_ratings.csv", "ml_25m_movies.csv"},
         NULL,
         NULL,
         "3 rows, 2 people, 2 items (2 titled), 3 interactions",
         {NULL}},
        {{"recbole.inter", "recbole.item", "recbole.user"},
         NULL,
         NULL,
         "3 rows, 3 people, 2 items (2 titled), 3 interactions",
         {NULL}},
    };
    cases_check(cases, N(cases));
}

static void news_and_articles(void **state)
{
    (void)state;
    static const format_case cases[] = {
        {{"deskdrop_interactions.csv"},
         "deskdrop_articles.csv",
         NULL,
         "5 rows, 3 people, 3 items (2 titled), 5 interactions",
         {"-1032019229384696495,8890720798209849691,,1465412560,,", "8890720798209849691,Ações de março,,",
          "-3499919498720038879,Data Centre Insider,,"}},
        {{"deskdrop_interactions.csv"},
         NULL,
         "event:VIEW=1,event:LIKE=2,event:COMMENT CREATED=4,event:FOLLOW=0",
         "5 rows, 3 people, 2 items (0 titled), 4 interactions; 1 of no weight",
         {"-1130272294246983140,-3499919498720038879,4,1465412290,,"}},
        {{"deskdrop_articles.csv"}, NULL, NULL, "refused: … contentId"},
        {{"news_clicks.csv"},
         "mind_news.tsv",
         NULL,
         "4 rows, 2 people, 3 items (3 titled), 4 interactions",
         {"U1,N55528,,1573463158,,", "N19639,50 worst habits for a flat belly,,health"}},
        {{"mind_behaviors.tsv"}, NULL, NULL, "refused: … tab-separated table without a header … N55189 N42782"},
    };
    cases_check(cases, N(cases));
}

static void books_and_places(void **state)
{
    (void)state;
    static const format_case cases[] = {
        {{"bx_ratings.csv"},
         NULL,
         NULL,
         "5 rows, 4 people, 3 items (0 titled), 5 interactions",
         {"276729,034545104X,10,,,", "276725,034545104X,0,,,"}},
        {{"bx_ratings.csv"},
         "bx_books.csv",
         NULL,
         "5 rows, 4 people, 3 items (3 titled), 5 interactions",
         {"0446520802,The Notebook,N. Sparks,", "034545104X,\"Märchen \"\"für alle\"\"; Band 1\",M. Jäger,"}},
        {{"bx_users.csv"}, NULL, NULL, "refused: … User-ID, Location, Age"},
        {{"goodreads_interactions.csv"},
         NULL,
         NULL,
         "4 rows, 2 people, 3 items (0 titled), 4 interactions",
         {"1,948,0,,,"}},
        {{"goodreads_reviews.json"},
         "goodreads_books.json",
         NULL,
         "3 rows, 2 people, 2 items (2 titled), 3 interactions",
         {"8842281e1d1347389f2ab93d60773d4d,24375664,5,1503694502,,Mind blowingly cool. Best read of the year.",
          "18245960,The Guild (Book #1),Nelson,", "01ec1a320ffded6b2dd47833f2c8e4fb,18245960,3,1489622523,,"}},
        {{"yelp_review.json"},
         "yelp_business.json",
         NULL,
         "3 rows, 2 people, 2 items (2 titled), 3 interactions",
         {"mh_-eMZ6K5RLWhZyISBhwA,XQfwVwDr-v0ZS3_CbbE5Xw,3,1531001351,,\"Go early, or wait. Good pie.\"",
          "7ATYjTIgM3jUlt4UM3IypQ,Body Cycle Studio,,"}},
        {{"yelp_user.json"}, NULL, NULL, "refused: … user_id, name"},
        {{"gowalla.txt"},
         NULL,
         NULL,
         "3 rows, 2 people, 2 items (0 titled), 3 interactions",
         {"0,420315,,1287440263,,"}},
    };
    cases_check(cases, N(cases));
}

static void games_and_music(void **state)
{
    (void)state;
    static const format_case cases[] = {
        {{"steam_200k.csv"},
         NULL,
         NULL,
         "9 rows, 3 people, 4 items (0 titled), 5 interactions; 4 duplicate",
         {"187131847,Fallout 4,,,,", "151603712,The Elder Scrolls V Skyrim,,,,"}},
        {{"steam_reviews.json"},
         "steam_games.json",
         NULL,
         "3 rows, 2 people, 2 items (2 titled), 3 interactions",
         {"Chaos Fox,725280,,1513468800,,This isn't good even for “back then” and I refunded it.",
          "328100,Real Pool 3D,Poolians,\"Free to Play|Sports\""}},
        {{"lastfm_user_artists.dat"},
         "lastfm_artists.dat",
         NULL,
         "4 rows, 3 people, 3 items (3 titled), 4 interactions",
         {"2,51,,,,", "53,Air – Frédéric,,"}},
        {{"lastfm_friends.dat"}, NULL, NULL, "refused: … userID, friendID"},
        {{"lastfm_360k.tsv"},
         NULL,
         NULL,
         "4 rows, 2 people, 3 items (0 titled), 4 interactions",
         {"00001411dc427966b17297bf4d69e7e193135d89,3bd73256-3905-4f3a-97e2-8b341527f805,,,,"}},
        {{"lastfm_1k.tsv"},
         NULL,
         NULL,
         "3 rows, 2 people, 2 items (0 titled), 3 interactions",
         {"user_000002,a7f7df4a-77d8-4f12-8acd-5c60c93f4de8,,1241445124,,"}},
    };
    cases_check(cases, N(cases));
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(films), cmocka_unit_test(tags_and_people_beside_ratings),
                                       cmocka_unit_test(news_and_articles), cmocka_unit_test(books_and_places),
                                       cmocka_unit_test(games_and_music)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
