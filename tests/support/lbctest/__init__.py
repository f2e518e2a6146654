"""What the tests share.

    project           where the project lies, the command under test, folders for a test's files, how a test is skipped

Of a site:

    model             what the language says: the mark of every packet on every director
    draw              random sites, and packets at every border of them
    edits             random changes of a site
    fixtures          sites that several tests take
    keepalived_sites  random sites with everything that keepalived has a word for

Of rules in a network namespace:

    net               devices to send crafted packets into, and the marks that the kernel gave them
    deep              the same, followed as far as IPVS would see them
    harness           lbc and what it says of a site, the ways to load its rules, the tables that there are
    judge             the kernel's marks against the model's, and against what `lbc verify` says
    draw_rules        random iptables rules of others
    draw_nft          random nftables tables of others
    nft_listing       what `nft -j list` prints, in an order of its own

Of machines, each in a network namespace:

    namespaces        new ones, and threads that go into one and back
    hosts             a host: its addresses, programs run on it, and lbc
    world             directors, real servers and a client on one bridge
    wire              copies of packets on that bridge
    traffic           a client that makes one connection after another
    lone_director     a director alone in the guest, with things of others on it
    realserver        a real server and its neighbour
    keepalived        a director's box for keepalived
    keepalived_pair   two boxes with keepalived, who holds which address, and what is advertised

Of hostile tests, and of JSON:

    hostile           lbc, run with bounds, and a folder that goes with the test
    director          a director in a namespace of its own, its processes, and programs that run with few rights
    strict_schema     documents against a schema, and the schema against itself
"""
