/* berth: the operator's command line. */

#include "berth/cli/cli.h"

int
main(int argc, char **argv)
{
    return cli_main(argc, argv);
}
