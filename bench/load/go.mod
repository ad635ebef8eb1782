module breakeven/bench/load

go 1.26.0
