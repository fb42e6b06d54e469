const int foo_fine = 1;
int other_number = 2;

static int
other_static(void)
{
    return 0;
}

int
foo_fine_too(void)
{
    return other_static();
}

int
other_function(void)
{
    return 0;
}
