raise RuntimeError("the licence server\nis on holiday")
