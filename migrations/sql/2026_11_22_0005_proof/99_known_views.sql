-- After all tables of the step are there: the views that read them as known at a checkpoint.
SELECT make_known_views();
