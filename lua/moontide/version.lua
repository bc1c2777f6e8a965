--- The version of the program.
return "0.1.0"
