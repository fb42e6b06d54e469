void base_copy(char *to, const char *from)
{
    strcpy(to, from);
    exit(1); /* TODO: mend */
}

/* /home/somebody/berth */
