/* SPDX-License-Identifier: Apache-2.0 */
/* test_shops.c - reviews and events of shops: Amazon of three generations, Kaggle's copies, and logs of clicks. */
#include "formats/case.h"

#define N(a) (sizeof(a) / sizeof *(a))

static void amazon(void **state)
{
    (void)state;
    static const format_case cases[] = {
        {{"amazon_2014_reviews.json"},
         "amazon_2014_meta.json",
         NULL,
         "4 rows, 3 people, 2 items (2 titled), 4 interactions",
         {"A2PLQ8X0VN6H4S,0205616461,4,1402876800,Good,\"Good \"\"budget\"\" choice\"",
          "0205616461,\"Balloon Whisk, 11\"\"\",Miller's,\"Home & Kitchen|Utensils|Whisks\"",
          "B000052YAN,Cook's Grater,,\"Home & Kitchen|Graters\""}},
        {{"amazon_2018_reviews.json"},
         "amazon_2018_meta.json",
         NULL,
         "5 rows, 2 people, 2 items (2 titled), 4 interactions; 1 duplicate",
         {"A1KLM2N3OPQ4RS,B00KITE001,5,1515456000,Five Stars,Flies in the lightest wind. My daughter loves it",
          "B00KITE001,Delta Kite & Tail,Windward,\"Toys & Games|Sports & Outdoor Play|Kites & Wind Spinners\"",
          "B01LINE777,Kite Line 100 m on a Winder,Windward,\"Toys & Games|Sports & Outdoor Play|Kites & Wind "
          "Spinners\""}},
        {{"amazon_2023_reviews.jsonl"},
         "amazon_2023_meta.jsonl",
         NULL,
         "5 rows, 3 people, 2 items (2 titled), 4 interactions; 1 duplicate",
         {"AGKHLEW2SOWHNMFQIJGBECAF7INQ,B00YQ6X8EO,5,1588687728,Smells of May,\"A fine mist. Smells of May, 😊 too\"",
          "AHV6QCNBJNSGLATP56JAWJ3C4G2A,B081TJ8YS3,3,1643393630,\"Other colour, same item\",Third",
          "B00YQ6X8EO,\"Rose Water Mist, 4 oz\",Howard Gardens,All Beauty"}},
        {{"amazon_2023_ratings.csv"},
         NULL,
         NULL,
         "3 rows, 2 people, 2 items (0 titled), 3 interactions",
         {"AGKHLEW2SOWHNMFQIJGBECAF7INQ,B081TJ8YS3,4,1588615855,,"}},
        {{"amazon_2023_last_out.csv"},
         NULL,
         NULL,
         "3 rows, 1 people, 3 items (0 titled), 3 interactions",
         {"AGKHLEW2SOWHNMFQIJGBECAF7INQ,B0BRUSH001,2,1643393630,,"}},
        {{"ratings_2014.csv"},
         NULL,
         NULL,
         "5 rows, 4 people, 3 items (0 titled), 5 interactions",
         {"A60XNB876KYML,7806397051,3,1397779200,,"}},
        {{"ratings_2018.csv"},
         NULL,
         NULL,
         "4 rows, 3 people, 2 items (0 titled), 4 interactions",
         {"A60XNB876KYML,0449819906,3,1397779200,,"}},
        {{"ratings_renamed.csv"},
         NULL,
         NULL,
         "3 rows, 2 people, 3 items (0 titled), 3 interactions",
         {"A39HTATAQ9V7YF,205616461,5,,,"}},
    };
    cases_check(cases, N(cases));
}

static void copies_of_kaggle(void **state)
{
    (void)state;
    static const format_case cases[] = {
        {{"fine_food.csv"},
         NULL,
         NULL,
         "5 rows, 3 people, 3 items (0 titled), 4 interactions; 1 duplicate",
         {"ABXLMWJIXXAIN,B000LQTAFY,4,1219017600,\"\"\"Sweet\"\" is the word\",Lemon and sugar",
          "ABXLMWJIXXAIN,B001E4OATS,3,1219017600,,Over two lines"}},
        {{"musical_instruments.csv"},
         NULL,
         NULL,
         "4 rows, 3 people, 2 items (0 titled), 4 interactions",
         {"A195EZSQDW3E21,B00004Y2UT,4,1377648000,Does the job,A plain shield for a plain price; the clamp holds on "
          "my thick old table too."}},
        {{"musical_instruments_no_header.csv"},
         NULL,
         NULL,
         "4 rows, 3 people, 2 items (0 titled), 4 interactions",
         {"A195EZSQDW3E21,B00004Y2UT,4,1377648000,Does the job,A plain shield for a plain price; the clamp holds on "
          "my thick old table too."}},
        {{"amazon_sales.csv"},
         NULL,
         NULL,
         "3 rows, 4 people, 2 items (2 titled), 5 interactions; 1 bad rating",
         {"AG3D6O4STAQKAY2UVGEUV46KN35Q,B07JW9H4J1,4.2,,,", "B07JW9H4J1,\"Woven USB C Cable, 2 m\",,"}},
        {{"datafiniti.csv"},
         NULL,
         NULL,
         "4 rows, 2 people, 2 items (2 titled), 3 interactions; 1 no person",
         {"Adapter,B01AHB9CN2,5,1484265600,Kindle,\"Reads well, in bed too.\"",
          "truman,B01AHB9CN2,,1484265600,very fast,my mother uses it", "B018Y229OU,Speaker White,,"}},
    };
    cases_check(cases, N(cases));
}

static void reviews_of_others(void **state)
{
    (void)state;
    static const format_case cases[] = {
        {{"amazon_us_reviews.tsv"},
         NULL,
         NULL,
         "4 rows, 3 people, 3 items (3 titled), 4 interactions",
         {"24769659,B00D7JFOPC,4,1440892800,\"\"\"Good\"\" track\",\"Fits 3\"\" wheels too and bends\"",
          "B00EDBY7X8,\"Monopoly for Six, 1\"\" Board\",,"}},
        {{"amazon_books_rating.csv"},
         NULL,
         NULL,
         "3 rows, 2 people, 2 items (2 titled), 2 interactions; 1 no person",
         {"AVCGYZL8FQQTD,1882931173,4,940636800,Nice collection,\"Cheap, and full of stamps.\"",
          "0826414346,\"Dr. Who, Poet\",,"}},
        {{"beer_advocate.csv"},
         NULL,
         NULL,
         "3 rows, 2 people, 2 items (2 titled), 3 interactions",
         {"johnm,47986,4,1293735206,,", "48213,Red Moon,,"}},
        {{"rent_the_runway.json"},
         NULL,
         NULL,
         "3 rows, 2 people, 2 items (0 titled), 3 interactions",
         {"420272,2260466,10,1461110400,So many compliments!,A romper for a sunny week.",
          "420272,153475,,1455235200,,"}},
        {{"google_local.json"},
         NULL,
         NULL,
         "2 rows, 2 people, 1 items (0 titled), 2 interactions",
         {"101463350189962023774,0x80c2c778e3b73d33:0xbdc58662a4a97d49,5,1627750414,,Cool place"}},
        {{"food_com.csv"},
         NULL,
         NULL,
         "3 rows, 2 people, 2 items (0 titled), 3 interactions",
         {"38094,44394,0,1038700800,,\"Made with \"\"less\"\" sugar\""}},
        {{"h_and_m.csv"},
         "h_and_m_articles.csv",
         NULL,
         "3 rows, 2 people, 2 items (2 titled), 3 interactions",
         {"00007d2de826758b65a93dd24ce629ed66842531df6699338c5570910a014cc2,0663713001,,1537401600,,",
          "0541518023,Rae Push (Melbourne) 2p,,Bra"}},
    };
    cases_check(cases, N(cases));
}

static void events_of_shops(void **state)
{
    (void)state;
    static const format_case cases[] = {
        {{"retailrocket_events.csv"},
         NULL,
         NULL,
         "5 rows, 2 people, 2 items (0 titled), 5 interactions",
         {"257597,355908,,1433221332,,"}},
        {{"retailrocket_events.csv"},
         NULL,
         "event:view=1,event:addtocart=3,event:transaction=5",
         "5 rows, 2 people, 2 items (0 titled), 5 interactions",
         {"257597,355908,1,1433221332,,", "257597,355908,5,1433222276,,"}},
        {{"retailrocket_item_properties.csv"}, NULL, NULL, "refused: … columns timestamp, itemid, property, value"},
        {{"retailrocket_category_tree.csv"}, NULL, NULL, "refused: … categoryid, parentid"},
        {{"rees46.csv"},
         NULL,
         NULL,
         "3 rows, 2 people, 2 items (0 titled), 3 interactions",
         {"541312140,44600062,,1569888000,,"}},
        {{"session_events.csv"},
         NULL,
         NULL,
         "3 rows, 2 people, 3 items (0 titled), 3 interactions",
         {"1,424964,,1659304800,,"}},
        {{"taobao_behavior.csv"},
         NULL,
         NULL,
         "5 rows, 2 people, 4 items (0 titled), 5 interactions",
         {"1,2333346,,1511561733,,"}},
        {{"events_iso.jsonl"},
         NULL,
         NULL,
         "3 rows, 2 people, 2 items (0 titled), 3 interactions",
         {"u1,tea,,1682944496,,", "u1,pot,,1682944496,,", "u2,tea,,1682985600,,"}},
        {{"orders_with_names.csv"},
         NULL,
         NULL,
         "3 rows, 2 people, 2 items (0 titled), 3 interactions",
         {"C1,P9,,1614988800,,"}},
        {{"online_retail.csv"},
         NULL,
         NULL,
         "7 rows, 3 people, 3 items (3 titled), 5 interactions; 2 no person",
         {"17850,85123A,,1291191960,,", "22633,\"HAND WARMER, UNION JACK\",,"}},
        {{"online_retail_2.csv"},
         NULL,
         NULL,
         "3 rows, 1 people, 2 items (2 titled), 2 interactions; 1 no person",
         {"13085.0,79323P,,1259653500,,"}},
    };
    cases_check(cases, N(cases));
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(amazon), cmocka_unit_test(copies_of_kaggle),
                                       cmocka_unit_test(reviews_of_others), cmocka_unit_test(events_of_shops)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
