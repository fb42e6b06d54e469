void base_copy(char *to, const char *from)
{
    strcpy(to, from);
    signal(1, 0);
    goto end;
end:
    exit(1); /* TODO: mend */
}

/* /home/somebody/berth */
