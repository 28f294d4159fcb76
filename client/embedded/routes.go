package embedded

import "net/http"

// routes registers every address. The extension (.json, .png, …) is cut off
// before; see Server.serve.
func (s *Server) routes() {
	s.mux = http.NewServeMux()
	s.open = map[string]bool{}
	for _, p := range []string{"GET /{$}", "GET /status", "GET /server/ping", "POST /server/ping", "GET /image/tile", "GET /slice/tile", pathOfTile} {
		s.open[p] = true
	}
	s.handle("GET /{$}", s.startPage)
	s.handle("GET /status", s.status)
	s.handle("GET /server/ping", s.ping)
	s.handle("POST /server/ping", s.ping)
	s.handle("GET /session/admin/{action}", s.adminSession)
	s.handle("GET /image/tile", s.olderTile("zoomify"))
	s.handle("GET /slice/tile", s.olderTile("fif"))
	s.handle(pathOfTile, s.newerTile)
	s.handle("POST /upload", s.uploadImage)
	s.handle("/", func(*call) error { return &apiError{status: http.StatusNotFound, text: "Page not found"} })

	s.peopleRoutes()
	s.softwareRoutes()
	s.metaRoutes()
	s.imageRoutes()
	s.annotationRoutes()
}

// pathOfTile is the address of a tile at the image server of later years.
const pathOfTile = "GET /image/{id}/{token}/tile/zoom/{zoom}/ti/{index}"

// crud registers the five plain operations of a class under a path.
func (s *Server) crud(path string, cl *class) {
	s.handle("POST "+path, s.add(cl))
	s.handle("GET "+path+"/{id}", s.show(cl))
	s.handle("PUT "+path+"/{id}", s.update(cl))
	s.handle("DELETE "+path+"/{id}", s.remove(cl))
}

// edit is crud without the addition, which some classes do in their own way.
func (s *Server) edit(path string, cl *class) {
	s.handle("GET "+path+"/{id}", s.show(cl))
	s.handle("PUT "+path+"/{id}", s.update(cl))
	s.handle("DELETE "+path+"/{id}", s.remove(cl))
}

func (s *Server) peopleRoutes() {
	s.handle("GET /api/user", s.listUsers)
	s.handle("POST /api/user", s.add(userClass))
	s.handle("GET /api/user/{id}", s.showUser)
	s.handle("PUT /api/user/{id}", s.update(userClass))
	s.handle("DELETE /api/user/{id}", s.remove(userClass))
	s.handle("GET /api/user/current", s.currentUser)
	s.handle("GET /api/user/{id}/keys", s.showKeys)
	s.handle("GET /api/userkey/{publicKey}/keys", s.showKeys)
	s.handle("GET /api/signature", s.showSignature)
	s.handle("POST /api/userJob", s.addUserJob)
	s.handle("GET /api/userJob/{id}", s.showUserJob)
	s.handle("GET /api/user/{id}/project", s.projects(inUserProjects))
	s.handle("GET /api/user/{id}/project/light", s.projects(inUserProjects))
	s.handle("GET /api/user/{id}/imageinstance", s.userImages)
	s.handle("GET /api/user/{id}/imageinstance/light", s.userImages)

	s.handle("GET /api/project", s.projects(""))
	s.handle("POST /api/project", s.addProject)
	s.edit("/api/project", projectClass)
	s.handle("GET /api/project/{id}/user", s.projectUsers(""))
	s.handle("GET /api/project/{id}/userlayer", s.projectUsers(" AND 1"))
	s.handle("GET /api/project/{id}/admin", s.projectUsers(" AND m.manager"))
	s.handle("GET /api/project/{id}/users/representative", s.projectUsers(" AND m.manager"))
	s.handle("GET /api/project/{id}/creator", s.projectUsers(" AND m.manager"))
	s.handle("GET /api/project/{id}/userjob", s.projectUserJobs)
	s.handle("POST /api/project/{id}/user/{user}", s.setMember(true, false))
	s.handle("DELETE /api/project/{id}/user/{user}", s.setMember(false, false))
	s.handle("POST /api/project/{id}/user/{user}/admin", s.setMember(true, true))
	s.handle("DELETE /api/project/{id}/user/{user}/admin", s.setMember(false, true))

	s.handle("GET /api/discipline", s.allOf(disciplineClass))
	s.crud("/api/discipline", disciplineClass)
	s.handle("GET /api/ontology", s.listOntologies)
	s.crud("/api/ontology", ontologyClass)
	s.handle("GET /api/ontology/{id}/project", s.projects("t.ontology=?"))
	s.handle("GET /api/ontology/{id}/user", s.ontologyUsers)
	s.handle("GET /api/ontology/{id}/term", s.terms("Ontology", "ontology", "t.ontology=?"))
	s.handle("GET /api/project/{id}/term", s.terms("Project", "project", "t.ontology=(SELECT ontology FROM project WHERE id=?)"))
	s.handle("GET /api/term", s.terms("", "", ""))
	s.crud("/api/term", termClass)
	s.handle("POST /api/relation/parent/term", s.addRelation)
	s.handle("GET /api/relation/parent/term1/{term1}/term2/{term2}", s.showRelation)
	s.handle("DELETE /api/relation/parent/term1/{term1}/term2/{term2}", s.removeRelation)
}

func (s *Server) softwareRoutes() {
	s.handle("GET /api/software", s.softwares(""))
	s.crud("/api/software", softwareClass)
	s.handle("GET /api/project/{id}/software", s.projectSoftware)
	s.handle("GET /api/software/{id}/project", s.projects("t.id IN (SELECT project FROM software_project WHERE software=?)"))
	s.handle("GET /api/software_user_repository/{id}/software", s.softwares("t.repository=? AND NOT COALESCE(t.deprecated, 0)"))
	s.handle("GET /api/project/{id}/software/{software}/stats", s.softwareStats)
	for _, name := range []string{"software_parameter", "softwareparameter"} {
		s.handle("GET /api/"+name, s.allOf(parameterClass))
		s.handle("POST /api/"+name, s.add(parameterClass))
		s.handle("GET /api/"+name+"/{id}", s.showParameter)
		s.handle("PUT /api/"+name+"/{id}", s.update(parameterClass))
		s.handle("DELETE /api/"+name+"/{id}", s.remove(parameterClass))
	}
	s.handle("GET /api/software/{id}/parameter", s.softwareParameters)
	s.handle("GET /api/software/{id}/software_parameter", s.softwareParameters)
	none := func(c *call) error { return slice(c, []any{}) }
	s.handle("GET /api/parameter_constraint", none)
	s.handle("GET /api/software_parameter/{id}/software_parameter_constraint", none)
	s.handle("GET /api/softwareproject", s.allOf(softwareProjectClass))
	s.crud("/api/softwareproject", softwareProjectClass)
	s.handle("GET /api/project/{id}/softwareproject", s.projectSoftwareLinks)
	s.handle("GET /api/processing_server", s.allOf(processingServerClass))
	s.crud("/api/processing_server", processingServerClass)
	s.handle("GET /api/software_user_repository", s.allOf(repositoryClass))
	s.crud("/api/software_user_repository", repositoryClass)

	s.handle("GET /api/metric", none)
	s.handle("GET /api/discipline/{id}/metric", none)

	s.handle("GET /api/job", s.listJobs)
	s.handle("POST /api/job", s.addJob)
	s.edit("/api/job", jobClass)
	s.handle("GET /api/job/{id}/parameter", s.jobParameters)
	s.handle("GET /api/job/{id}/log", s.jobLog)
	s.handle("GET /api/job/{id}/kill", s.killJob)
	s.handle("POST /api/job/{id}/kill", s.killJob)
	s.handle("GET /api/job/{id}/execute", s.executeJob)
	s.handle("POST /api/job/{id}/execute", s.executeJob)
	s.handle("GET /api/job/{id}/processing_server/{server}/execute", s.executeJob)
	s.handle("POST /api/job/{id}/processing_server/{server}/execute", s.executeJob)
	s.handle("GET /api/job/{id}/alldata", s.countJobData)
	s.handle("DELETE /api/job/{id}/alldata", s.removeJobData)
	s.handle("POST /api/job/{id}/favorite", s.favoriteJob)
	s.handle("POST /api/job/{id}/copy", s.copyJob)
	s.handle("GET /api/project/{id}/bounds/job", s.jobBounds)
	s.crud("/api/jobparameter", jobParameterClass)
	s.crud("/api/jobdata", jobDataClass)
	s.handle("GET /api/job/{id}/jobdata", s.listJobData)
	s.handle("POST /api/jobdata/{id}/upload", s.uploadJobData)
	s.handle("PUT /api/jobdata/{id}/upload", s.uploadJobData)
	s.handle("GET /api/jobdata/{id}/download", s.downloadJobData(false))
	s.handle("GET /api/jobdata/{id}/view", s.downloadJobData(true))
}

func (s *Server) metaRoutes() {
	s.handle("POST /api/attachedfile", s.attach)
	s.handle("PUT /api/attachedfile", s.attach)
	s.handle("GET /api/attachedfile/{id}", s.show(attachedFileClass))
	s.handle("DELETE /api/attachedfile/{id}", s.remove(attachedFileClass))
	s.handle("GET /api/attachedfile/{id}/download", s.downloadAttached)
	s.handle("GET /api/domain/{class}/{ident}/attachedfile", s.hung(attachedFileClass, ""))

	s.handle("POST /api/description", s.hang(descriptionClass, ""))
	s.handle("GET /api/domain/{class}/{ident}/description", s.showDescription)
	s.handle("POST /api/domain/{class}/{ident}/description", s.hang(descriptionClass, ""))
	s.handle("PUT /api/domain/{class}/{ident}/description", s.alter(descriptionClass))
	s.handle("DELETE /api/domain/{class}/{ident}/description", s.removeDescription)

	s.handle("POST /api/property", s.hang(propertyClass, ""))
	s.handle("GET /api/annotation/property/key", s.propertyKeys("annotation"))
	s.handle("GET /api/imageinstance/property/key", s.propertyKeys("image_instance"))
	for path, class := range map[string]string{
		"/api/domain/{class}/{ident}": "", "/api/annotation/{ident}": "annotation",
		"/api/project/{ident}": "Project", "/api/imageinstance/{ident}": "ImageInstance",
	} {
		s.handle("GET "+path+"/property", s.hung(propertyClass, class))
		s.handle("POST "+path+"/property", s.hang(propertyClass, class))
		s.handle("GET "+path+"/key/{key}/property", s.showByKey(class))
		s.handle("GET "+path+"/property/{id}", s.show(propertyClass))
		s.handle("PUT "+path+"/property/{id}", s.alter(propertyClass))
		s.handle("DELETE "+path+"/property/{id}", s.remove(propertyClass))
	}

	s.handle("GET /api/tag", s.allOf(tagClass))
	s.crud("/api/tag", tagClass)
	s.handle("GET /api/tag_domain_association", s.allOf(tagAssociationClass))
	s.handle("GET /api/tag_domain_association/{id}", s.show(tagAssociationClass))
	s.handle("DELETE /api/tag_domain_association/{id}", s.remove(tagAssociationClass))
	s.handle("GET /api/domain/{class}/{ident}/tag_domain_association", s.hung(tagAssociationClass, ""))
	s.handle("POST /api/domain/{class}/{ident}/tag_domain_association", s.hang(tagAssociationClass, ""))
}

func (s *Server) imageRoutes() {
	s.handle("GET /api/project/{id}/imageinstance", s.listImages)
	s.handle("GET /api/project/{id}/image", s.projectAbstractImages)
	s.handle("POST /api/imageinstance", s.addImage)
	s.handle("GET /api/imageinstance/{id}", s.show(imageClass))
	s.handle("PUT /api/imageinstance/{id}", s.updateImage)
	s.handle("DELETE /api/imageinstance/{id}", s.remove(imageClass))
	s.handle("GET /api/imageinstance/{id}/next", s.neighbour("<", "DESC"))
	s.handle("GET /api/imageinstance/{id}/previous", s.neighbour(">", "ASC"))
	s.handle("GET /api/imageinstance/{id}/sliceinstance", s.showSlice("imageinstance", true))
	s.handle("GET /api/imageinstance/{id}/sliceinstance/reference", s.showSlice("imageinstance", false))
	s.handle("GET /api/sliceinstance/{id}", s.showSlice("sliceinstance", false))
	s.handle("GET /api/abstractimage", s.listAbstractImages)
	s.crud("/api/abstractimage", abstractImageClass)
	s.handle("GET /api/abstractimage/{id}/abstractslice", s.showSlice("abstractimage", true))
	s.handle("GET /api/abstractimage/{id}/abstractslice/reference", s.showSlice("abstractimage", false))
	for _, kind := range []string{"imageinstance", "abstractimage", "sliceinstance"} {
		s.handle("GET /api/"+kind+"/{id}/thumb", s.thumb(kind, 512))
		s.handle("GET /api/"+kind+"/{id}/preview", s.thumb(kind, 1024))
		s.handle("GET /api/"+kind+"/{id}/download", s.downloadImage(kind))
		s.handle("GET /api/"+kind+"/{id}/{window}", s.window(kind))
	}
	s.handle("POST /api/imageinstance/{id}/review", s.reviewImage)
	s.handle("PUT /api/imageinstance/{id}/review", s.reviewImage)
	s.handle("DELETE /api/imageinstance/{id}/review", s.reviewImage)
	s.handle("GET /api/abstractimage/{id}/imageservers", s.imageServers)
	s.handle("GET /api/imaging_server", s.imagingServers)
	s.handle("GET /api/storage", s.mine(storageClass))
	s.crud("/api/storage", storageClass)
	s.handle("GET /api/uploadedfile", s.mine(uploadedFileClass))
	s.crud("/api/uploadedfile", uploadedFileClass)
}

func (s *Server) annotationRoutes() {
	s.handle("GET /api/annotation/search", s.listAnnotations)
	s.handle("POST /api/annotation/search", s.listAnnotations)
	s.handle("GET /api/imageinstance/{id}/annotation/included", s.includedAnnotations)
	for _, kind := range []string{"annotation", "userannotation", "algoannotation", "reviewedannotation"} {
		path := "/api/" + kind
		s.handle("GET "+path, s.listAnnotations)
		s.handle("POST "+path, s.addAnnotation)
		s.handle("GET "+path+"/{id}", s.showAnnotation)
		s.handle("PUT "+path+"/{id}", s.updateAnnotation)
		s.handle("DELETE "+path+"/{id}", s.removeAnnotation)
		s.handle("GET "+path+"/{id}/crop", s.crop(paintPixels, 0))
		s.handle("GET "+path+"/{id}/cropMin", s.crop(paintPixels, 256))
		s.handle("GET "+path+"/{id}/mask", s.crop(paintMask, 0))
		s.handle("GET "+path+"/{id}/alphamask", s.crop(paintAlpha, 0))
		s.handle("GET "+path+"/{id}/term", s.annotationTerms)
	}
	s.handle("POST /api/annotation/{id}/fill", s.fillAnnotation)
	s.handle("POST /api/annotation/{id}/term/{term}", s.addTerm(false))
	s.handle("POST /api/annotation/{id}/term/{term}/clearBefore", s.addTerm(true))
	for _, path := range []string{"/api/annotation/{id}/term/{term}", "/api/annotation/{id}/term/{term}/user/{user}"} {
		s.handle("GET "+path, s.showTerm)
		s.handle("DELETE "+path, s.removeTerm)
	}
	for _, method := range []string{"GET", "POST", "PUT", "DELETE"} {
		s.handle(method+" /api/annotation/{id}/review", s.reviewAnnotation)
	}
	for kind, name := range map[int]string{byUser: "userannotation", byJob: "algoannotation", reviewed: "reviewedannotation"} {
		s.handle("GET /api/project/{id}/"+name+"/count", s.countAnnotations(kind, "project"))
		s.handle("GET /api/user/{id}/"+name+"/count", s.countAnnotations(kind, "user"))
	}
}

// startPage is where unsigned requests are sent: a page with status 200, so that
// a client that follows the redirect must look at the content type to notice.
func (s *Server) startPage(c *call) error {
	c.bytes(http.StatusOK, "text/html;charset=UTF-8", []byte("<!DOCTYPE html><html><head><title>Cytomine</title></head>"+
		"<body><h1>A Cytomine-compatible server</h1><p>It has no screens; its API is under /api.</p></body></html>\n"))
	return nil
}

// ping says that the server lives and whether the caller is known to it.
func (s *Server) ping(c *call) error {
	out := map[string]any{"alive": true, "authenticated": c.user != nil, "version": Version, "serverURL": c.serverURL(), "serverID": "cytorun"}
	if c.user != nil {
		out["user"] = c.user.id
	}
	return c.json(http.StatusOK, out)
}

func (s *Server) status(c *call) error {
	return c.json(http.StatusOK, map[string]any{"alive": true, "version": Version, "serverURL": c.serverURL()})
}

// adminSession answers the elevation of an administrator, who here always has
// the rights of one.
func (s *Server) adminSession(c *call) error {
	if !c.user.isAdmin() {
		return forbidden()
	}
	return c.json(http.StatusOK, map[string]any{"id": c.user.id, "admin": true, "user": true, "guest": false,
		"adminByNow": true, "userByNow": true, "guestByNow": false})
}
