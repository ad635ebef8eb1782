module breakeven/tools/pause

go 1.26
