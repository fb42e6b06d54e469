int    base_odd( int a ){return a;}
