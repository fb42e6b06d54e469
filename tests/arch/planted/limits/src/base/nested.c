int base_nested(int a)
{
    while (a) {
        while (a > 1) {
            while (a > 2) {
                if (a > 3)
                    a--;
            }
        }
    }
    return a;
}
