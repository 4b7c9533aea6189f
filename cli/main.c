/* The program nytprof. */
#include "cli.h"

int main(int argc, char **argv)
{
    const struct nyt_cli_io io = {"nytprof", stdin, stdout, stderr};
    return nytprof_main(argc, argv, &io);
}
